import t, { type Test } from 'tap'
import { SiprecCaller } from '../../cli/caller/siprec-caller.ts'
import { metricValue } from '../metrics-text.ts'
import { until } from '../until.ts'
import { fillIn, mayBeEmpty, type Panel, readDashboards } from './dashboards.ts'
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
  await placeCalls(t, node)
  for (const [name, { panels }] of readDashboards()) {
    for (const panel of panels) {
      // What was counted is seen once it was scraped twice, and the rates of it later.
      const shown = mayBeEmpty(panel) ? isShown(panel) : until(() => isShown(panel), 500)
      await t.resolves(shown, `${name}: ${panel.title}`)
    }
  }

  async function isShown({ targets }: Panel): Promise<boolean> {
    const toS = Date.now() / 1000
    const answers = await Promise.all(
      targets.map(({ expr }) =>
        prometheus.queryRange(fillIn(expr, { rateS: RATE_S, rangeS: toS - fromS }), {
          ...{ fromS, toS },
          stepS: 1,
        }),
      ),
    )
    const points = answers.flat().flatMap((series) => series.points)
    return points.some(([, value]) => Number.isFinite(value))
  }
})

/** Some calls one after the other, and all that is counted of them. */
async function placeCalls(t: Test, node: Awaited<ReturnType<typeof startNode>>): Promise<void> {
  const caller = await SiprecCaller.open(node.sip)
  t.teardown(() => caller.close())
  for (let index = 0; index < 3; index++) {
    const call = await caller.place({
      ...{ caller: '+12025550147', agent: '4001', serviceNumber: '+12025550100' },
      audio: [SPEECH, SPEECH],
    })
    await until(() => call.sent >= 200)
    await call.hangUp()
  }
  await until(
    async () => metricValue(await node.metrics('gateway'), 'tallenne_recordings_total') === 3,
  )
  await node.asPortal('/api/contacts')
}
