import t from 'tap'
import { SiprecCaller } from '../../cli/caller/siprec-caller.ts'
import { metricValue, readMetrics } from '../metrics-text.ts'
import { until } from '../until.ts'
import { readSection } from './metrics-page.ts'
import { lintMetrics, promtool } from './promtool.ts'
import { PROCESSES, type ProcessName, startNode } from './served-node.ts'

const SECTIONS: Readonly<Record<ProcessName, readonly string[]>> = {
  gateway: ['Every process', 'The audit trail', 'Gateway'],
  retention: ['Every process', 'The audit trail', 'Retention'],
  portal: ['Every process', 'The audit trail', 'Portal'],
}
/** A node of many peers and lines has some more; what is scraped must not grow with calls. */
const MOST_SERIES = 1000

const node = await startNode(t)
await recordCall()

/** One call, so that what is counted of calls has samples. */
async function recordCall(): Promise<void> {
  const caller = await SiprecCaller.open(node.sip)
  const speech = new Uint8Array(160).map((_, index) => (index % 16 < 8 ? 0x20 : 0xa0))
  const call = await caller.place({
    caller: '+12025550147',
    agent: '4001',
    serviceNumber: '+12025550100',
    audio: [speech, speech],
  })
  await until(() => call.sent >= 100)
  await call.hangUp()
  caller.close()
  await until(
    async () => metricValue(await node.metrics('gateway'), 'tallenne_calls_ended_total') === 1,
  )
}

for (const process of PROCESSES) {
  t.test(
    `docs/metrics.md describes what the ${process} serves, and nothing that it does not`,
    async (t) => {
      const served = readMetrics(await node.metrics(process))
      const described = new Map(SECTIONS[process].flatMap((title) => [...readSection(title)]))
      const names = [...served.keys()].filter((name) => name.startsWith('tallenne_'))
      t.strictSame(names.toSorted(), [...described.keys()].toSorted())
      for (const [name, { type, labels }] of described) {
        t.equal(served.get(name)?.type, type, `${name} is a ${type}`)
        const unknown = [...(served.get(name)?.labels ?? [])].filter(
          (label) => !labels.includes(label),
        )
        t.strictSame(unknown, [], `labels of ${name}`)
      }
    },
  )

  t.test(
    `what the ${process} serves keeps to Prometheus' conventions`,
    { skip: promtool.missing },
    async (t) => {
      const text = await node.metrics(process)
      t.strictSame(await lintMetrics(text), [])
      for (const [name, { help }] of readMetrics(text)) {
        if (name.startsWith('tallenne_'))
          t.match(help, /^[A-Z0-9].*\.$/, `${name} is explained in a sentence`)
      }
    },
  )

  t.test(`a scrape of the ${process} is small`, async (t) => {
    const text = await node.metrics(process)
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    t.ok(series.length < MOST_SERIES, `${series.length} series`)
    t.notMatch(text, /2025550|127\.0\.0\.1/, 'no number and no address')
  })
}
