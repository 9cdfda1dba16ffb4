import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from '../free-port.ts'
import { until } from '../until.ts'

/** One line of a query's answer. */
export interface QueriedSeries {
  readonly labels: Readonly<Record<string, string>>
  /** Seconds since 1970 and value. */
  readonly points: readonly (readonly [atS: number, value: number])[]
}

export interface TimeRange {
  readonly fromS: number
  readonly toS: number
  readonly stepS: number
}

export interface Prometheus {
  /** Rejects with what Prometheus says where it does not take the query. */
  queryRange(expression: string, range: TimeRange): Promise<readonly QueriedSeries[]>
  close(): Promise<void>
}

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>
      readonly values: readonly (readonly [number, string])[]
    }[]
  }
}

/** Debian's Prometheus on a free port of loopback, which scrapes each job's address every second, and has begun to. */
export async function startPrometheus(jobs: Readonly<Record<string, string>>): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-prometheus-'))
  const config = join(folder, 'prometheus.yml')
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: Object.entries(jobs).map(([job_name, target]) => ({
        job_name,
        static_configs: [{ targets: [target] }],
      })),
    }),
  )
  const listen = `127.0.0.1:${await freePort()}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${listen}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  )
  const ended = once(child, 'close')
  await until(async () => {
    if (child.exitCode !== null) throw new Error('prometheus does not start')
    return (await fetch(`http://${listen}/-/ready`).catch(() => undefined))?.ok
  }, 50)
  const prometheus = {
    queryRange: (expression: string, range: TimeRange) => ask(listen, expression, range),
    async close() {
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
  const nowS = () => Date.now() / 1000
  const wanted = Object.keys(jobs).length
  const scraped = async () =>
    (await prometheus.queryRange('up == 1', { fromS: nowS(), toS: nowS(), stepS: 1 })).length
  // Scrapes begin some seconds after the start, and what was counted before is not seen as an increase.
  await until(async () => (await scraped()) >= wanted, 50)
  return prometheus
}

async function ask(
  host: string,
  query: string,
  { fromS, toS, stepS }: TimeRange,
): Promise<readonly QueriedSeries[]> {
  const asked = new URLSearchParams({ query, start: `${fromS}`, end: `${toS}`, step: `${stepS}` })
  const response = await fetch(`http://${host}/api/v1/query_range?${asked}`)
  const { status, error, data } = (await response.json()) as Answer
  if (status !== 'success' || data === undefined) throw new Error(`${query}: ${error}`)
  return data.result.map(({ metric, values }) => ({
    labels: metric,
    points: values.map(([atS, value]) => [atS, Number(value)] as const),
  }))
}
