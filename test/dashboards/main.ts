import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readDashboards } from '../operations/dashboards.ts'
import { startPrometheus } from '../operations/prometheus.ts'
import { type Scope, startNode } from '../operations/served-node.ts'
import { drawDashboard } from './draw-dashboard.ts'
import { placeEventfulCalls } from './eventful-load.ts'

const USAGE = `Usage: npm run dashboards -- [--seconds S] [--out FOLDER]

Runs a node with calls that come and go, lets Prometheus scrape it, and draws each dashboard of
deploy/grafana/ from what Prometheus answers to its panels' queries. Needs Debian's prometheus.

  --seconds S   how long calls come (240)
  --out FOLDER  where the pictures go (docs/pictures)
`
const RATE_S = 20

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '240' },
    out: { type: 'string', default: 'docs/pictures' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(USAGE)
else await draw({ seconds: Number(values.seconds), folder: values.out })

async function draw({ seconds, folder }: { readonly seconds: number; readonly folder: string }) {
  const ends: (() => unknown)[] = []
  const scope: Scope = {
    teardown: (end) => ends.push(end),
    testdir: () => {
      const made = mkdtempSync(join(tmpdir(), 'tallenne-dashboards-'))
      ends.push(() => rmSync(made, { recursive: true, force: true }))
      return made
    },
  }
  try {
    const node = await startNode(scope, {
      media: { ports: { from: 33_000, to: 33_399 }, engines: 2, maxRecordings: 14 },
      siprec: { peers: [{ name: 'sbc-1', from: ['127.0.0.1'] }] },
    })
    const prometheus = await startPrometheus(node.jobs)
    ends.push(() => prometheus.close())
    const fromS = Date.now() / 1000
    const ending = new AbortController()
    const looking = searchNowAndThen(node.asPortal, ending.signal)
    await placeEventfulCalls(node.sip, { seconds })
    await delay(3000)
    ending.abort()
    await looking
    const range = { fromS, toS: Date.now() / 1000, stepS: 2 }
    mkdirSync(folder, { recursive: true })
    for (const [name, dashboard] of readDashboards()) {
      const subtitle = `drawn from the dashboard’s own queries: one node, ${Math.round(seconds / 60)} minutes, a scrape a second`
      const picture = await drawDashboard(dashboard, prometheus, { range, rateS: RATE_S, subtitle })
      writeFileSync(join(folder, `${name}.svg`), picture)
      process.stdout.write(`${join(folder, `${name}.svg`)}\n`)
    }
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

/** Somebody looks for calls in the portal, and sometimes at what is not there. */
async function searchNowAndThen(
  asPortal: (path: string) => Promise<Response>,
  stopped: AbortSignal,
): Promise<void> {
  for (let index = 0; !stopped.aborted; index++) {
    await asPortal(index % 7 === 6 ? '/api/nothing' : '/api/contacts?limit=20')
    await delay(1500, undefined, { signal: stopped }).catch(() => {})
  }
}
