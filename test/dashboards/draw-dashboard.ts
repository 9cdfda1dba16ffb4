import type { Dashboard, Panel } from '../operations/dashboards.ts'
import { fillIn } from '../operations/dashboards.ts'
import type { Prometheus, TimeRange } from '../operations/prometheus.ts'
import { drawChart, escapeXml, type Line } from './draw-chart.ts'
import { formatValue } from './units.ts'

const COLUMN = 50
const ROW = 30
const GAP = 6
const HEAD = 46
const STAT_COLOURS: Readonly<Record<string, string>> = {
  green: '#00794f',
  orange: '#b45f00',
  red: '#c0271f',
}
const STYLE = `text{font-family:system-ui,sans-serif;fill:#1f2328}.t{font-size:13px;font-weight:600}.a{font-size:10px;fill:#59636e}.l{font-size:11px}.h{font-size:19px;font-weight:600}.s{font-size:26px;font-weight:600}.e{font-size:12px;fill:#59636e}`

/** A dashboard as an SVG picture, from what Prometheus answers to each panel's own queries. */
export async function drawDashboard(
  { title, panels }: Dashboard,
  prometheus: Prometheus,
  {
    range,
    rateS,
    subtitle,
  }: { readonly range: TimeRange; readonly rateS: number; readonly subtitle: string },
): Promise<string> {
  const height = HEAD + ROW * Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) + GAP
  const drawn: string[] = []
  for (const panel of panels) {
    const lines: Line[] = []
    for (const { expr, legendFormat } of panel.targets) {
      const filled = fillIn(expr, { rateS, rangeS: range.toS - range.fromS })
      for (const { labels, points } of await prometheus.queryRange(filled, range)) {
        lines.push({ name: legendOf(legendFormat, labels), points })
      }
    }
    drawn.push(drawPanel(panel, lines, range))
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${24 * COLUMN} ${height}" width="${24 * COLUMN}"><title>${escapeXml(title)}</title><style>${STYLE}</style><rect width="100%" height="100%" fill="#f4f5f7"/><text x="12" y="30" class="h">${escapeXml(title)}</text><text x="${24 * COLUMN - 12}" y="30" text-anchor="end" class="e">${escapeXml(subtitle)}</text>${drawn.join('\n')}</svg>\n`
}

function drawPanel(panel: Panel, lines: readonly Line[], range: TimeRange): string {
  const { gridPos, title, fieldConfig } = panel
  const x = gridPos.x * COLUMN + GAP / 2
  const y = HEAD + gridPos.y * ROW + GAP / 2
  const width = gridPos.w * COLUMN - GAP
  const height = gridPos.h * ROW - GAP
  const frame = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="3" fill="#fff" stroke="#d8dde3"/><text x="${x + 10}" y="${y + 19}" class="t">${escapeXml(title)}</text>`
  if (panel.type === 'stat') return frame + drawStat(panel, lines, { x, y, width, height })
  const hasPoints = lines.some(({ points }) => points.some(([, value]) => Number.isFinite(value)))
  if (!hasPoints) {
    return `${frame}<text x="${x + width / 2}" y="${y + height / 2 + 8}" text-anchor="middle" class="e">nothing to show: ${escapeXml(panel.description.split('. ').at(-1) ?? '')}</text>`
  }
  const { unit, custom } = fieldConfig.defaults
  return (
    frame +
    drawChart(lines, {
      ...{ x, y: y + 26, width, height: height - 30 },
      ...{ unit, isStacked: custom?.stacking.mode === 'normal' },
      ...{ fromS: range.fromS, toS: range.toS },
    })
  )
}

function drawStat(
  { fieldConfig }: Panel,
  lines: readonly Line[],
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): string {
  const { unit, decimals, thresholds } = fieldConfig.defaults
  const value = lines[0]?.points.findLast(([, one]) => Number.isFinite(one))?.[1]
  const step = thresholds?.steps.findLast(
    (one) => one.value === null || (value !== undefined && value >= one.value),
  )
  const colour = STAT_COLOURS[step?.color ?? 'green'] ?? '#1f2328'
  const text = value === undefined ? 'no data' : formatValue(value, unit, decimals)
  return `<text x="${box.x + box.width / 2}" y="${box.y + box.height / 2 + 22}" text-anchor="middle" class="s" style="fill:${colour}">${text}</text>`
}

function legendOf(format: string, labels: Readonly<Record<string, string>>): string {
  return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? '').trim()
}
