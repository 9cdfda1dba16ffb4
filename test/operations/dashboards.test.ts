import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { SiprecCaller } from '../../cli/caller/siprec-caller.ts'
import { metricValue } from '../metrics-text.ts'
import { until } from '../until.ts'
import { fillIn, mayBeEmpty, readDashboards } from './dashboards.ts'
import { readPage } from './metrics-page.ts'
import { startPrometheus } from './prometheus.ts'
import { promtool } from './promtool.ts'
import { startNode } from './served-node.ts'

const RATE_S = 10
const SPEECH = new Uint8Array(1600).map((_, index) => (index % 16 < 8 ? 0x20 : 0xa0))

t.test('dashboards ask for metrics that there are, and each panel is of its own', async (t) => {
  const described = readPage()
  const dashboards = readDashboards()
  t.ok(dashboards.size > 0)
  for (const [name, { uid, panels }] of dashboards) {
    t.equal(uid, `tallenne-${name}`)
    t.ok(panels.length > 0)
    t.equal(new Set(panels.map(({ title }) => title)).size, panels.length)
    const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    const asked = exprs.flatMap((expr) => expr.match(/\btallenne_[a-z0-9_]+/g) ?? [])
    t.ok(asked.length > 0, `${name} asks for something`)
    for (const metric of asked) {
      const isKnown = described.has(metric) || described.has(metric.replace(/_bucket$/, ''))
      t.ok(isKnown, `${name}: ${metric}`)
    }
  }
})

t.test('each panel shows something of a node with calls', { skip: promtool.missing }, async (t) => {
  const node = await startNode(t)
  const prometheus = await startPrometheus(node.jobs)
  t.teardown(() => prometheus.close())
  const fromS = Date.now() / 1000
  await placeCalls(node)
  const toS = Date.now() / 1000
  for (const [name, { panels }] of readDashboards()) {
    for (const panel of panels) {
      const answers = await Promise.all(
        panel.targets.map(({ expr }) =>
          prometheus.queryRange(fillIn(expr, { rateS: RATE_S, rangeS: toS - fromS }), {
            ...{ fromS, toS },
            stepS: 1,
          }),
        ),
      )
      const points = answers.flat().flatMap((series) => series.points)
      const isShown = points.some(([, value]) => Number.isFinite(value))
      t.ok(isShown || mayBeEmpty(panel), `${name}: ${panel.title}`)
    }
  }
})

/** Some calls one after the other, until all that is counted of them was scraped a few times. */
async function placeCalls(node: Awaited<ReturnType<typeof startNode>>): Promise<void> {
  const caller = await SiprecCaller.open(node.sip)
  for (let index = 0; index < 3; index++) {
    const call = await caller.place({
      ...{ caller: '+12025550147', agent: '4001', serviceNumber: '+12025550100' },
      audio: [SPEECH, SPEECH],
    })
    await until(() => call.sent >= 200)
    await call.hangUp()
  }
  caller.close()
  await until(
    async () => metricValue(await node.metrics('gateway'), 'tallenne_recordings_total') === 3,
  )
  await node.asPortal('/api/contacts')
  await delay(4000)
}
