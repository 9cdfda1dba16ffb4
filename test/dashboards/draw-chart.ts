import { formatValue } from './units.ts'

export interface Line {
  readonly name: string
  readonly points: readonly (readonly [atS: number, value: number])[]
}

export interface Chart {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly unit: string
  readonly isStacked: boolean
  readonly fromS: number
  readonly toS: number
}

/** Told apart also by people who do not see red or green well; the order is fixed. */
const COLOURS = [
  ...['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f5fc7', '#8c6d31'],
]
/** Words whose colour means something. */
const NAMED: Readonly<Record<string, string>> = {
  complete: '#009e73',
  partial: '#e69f00',
  silent: '#7a7f87',
  failed: '#d0342c',
}
const LEGEND_LINE = 15
const AXIS_LEFT = 52

/** Draws lines over time with axes and a legend, as SVG elements. */
export function drawChart(lines: readonly Line[], chart: Chart): string {
  const legend = layLegend(lines, chart.width)
  const rows = (legend.at(-1)?.row ?? 0) + 1
  const plot = {
    left: chart.x + AXIS_LEFT,
    right: chart.x + chart.width - 10,
    top: chart.y + 6,
    bottom: chart.y + chart.height - 22 - rows * LEGEND_LINE,
  }
  const drawn = chart.isStacked ? stack(lines) : lines
  const highest = Math.max(
    0,
    ...drawn.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite),
  )
  const top = niceTop(highest)
  const atX = (atS: number) =>
    plot.left + ((atS - chart.fromS) / (chart.toS - chart.fromS)) * (plot.right - plot.left)
  const atY = (value: number) => plot.bottom - (value / top) * (plot.bottom - plot.top)
  const parts: string[] = []
  for (const share of [0, 0.5, 1]) {
    const y = atY(top * share)
    parts.push(
      `<path d="M${plot.left} ${y.toFixed(1)}H${plot.right}" stroke="#e3e6ea"/>`,
      `<text x="${plot.left - 6}" y="${(y + 3.5).toFixed(1)}" text-anchor="end" class="a">${formatValue(top * share, chart.unit)}</text>`,
    )
  }
  for (const share of [0, 0.5, 1]) {
    const minutes = ((chart.toS - chart.fromS) * share) / 60
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle'
    const x = plot.left + (plot.right - plot.left) * share
    parts.push(
      `<text x="${x}" y="${plot.bottom + 14}" text-anchor="${anchor}" class="a">${minutes.toFixed(1)} min</text>`,
    )
  }
  const order = drawn.map((_, index) => index)
  // The lowest of a stack is drawn last, over those that stand upon it.
  for (const index of chart.isStacked ? order.toReversed() : order) {
    const line = drawn[index]
    if (line === undefined) continue
    const colour = colourOf(line.name, index)
    const path = pathOf(line.points, atX, atY)
    if (chart.isStacked && path !== '') {
      const [first] = line.points
      const last = line.points.at(-1)
      const close = `L${atX(last?.[0] ?? 0).toFixed(1)} ${plot.bottom}L${atX(first?.[0] ?? 0).toFixed(1)} ${plot.bottom}Z`
      parts.push(`<path d="${path}${close}" fill="${colour}"/>`)
    } else if (path !== '') {
      parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>`)
    }
  }
  const legendTop = chart.y + chart.height - rows * LEGEND_LINE + 4
  for (const { name, index, x, row } of legend) {
    const y = legendTop + row * LEGEND_LINE
    parts.push(
      `<rect x="${chart.x + x}" y="${y - 5}" width="10" height="3" fill="${colourOf(name, index)}"/>`,
      `<text x="${chart.x + x + 14}" y="${y}" class="l">${escapeXml(name)}</text>`,
    )
  }
  return parts.join('')
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function colourOf(name: string, index: number): string {
  return NAMED[name] ?? COLOURS[index % COLOURS.length] ?? '#333'
}

function pathOf(
  points: Line['points'],
  atX: (atS: number) => number,
  atY: (value: number) => number,
): string {
  let path = ''
  let isDrawing = false
  let beforeS = 0
  for (const [atS, value] of points) {
    if (!Number.isFinite(value) || (isDrawing && atS - beforeS > 60)) isDrawing = false
    beforeS = atS
    if (!Number.isFinite(value)) continue
    path += `${isDrawing ? 'L' : 'M'}${atX(atS).toFixed(1)} ${atY(value).toFixed(1)}`
    isDrawing = true
  }
  return path
}

/** Each line upon those before it. */
function stack(lines: readonly Line[]): readonly Line[] {
  const sums = new Map<number, number>()
  return lines.map(({ name, points }) => ({
    name,
    points: points.map(([atS, value]) => {
      const sum = (sums.get(atS) ?? 0) + (Number.isFinite(value) ? value : 0)
      sums.set(atS, sum)
      return [atS, sum] as const
    }),
  }))
}

function niceTop(highest: number): number {
  if (highest <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(highest))
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((one) => one * power >= highest) ?? 10
  return step * power
}

function layLegend(lines: readonly Line[], width: number) {
  let x = 12
  let row = 0
  return lines.map(({ name }, index) => {
    const needed = 26 + name.length * 6
    if (x + needed > width && x > 12) {
      x = 12
      row++
    }
    const placed = { name, index, x, row }
    x += needed
    return placed
  })
}
