import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { EngineLink } from '../../../gateway/media/engine-link.ts'
import { ManualClock } from '../../manual-clock.ts'
import { SETTINGS } from '../../recorder/recording-rig.ts'
import { until } from '../../until.ts'

/** A link to a thread that runs a few words of its own, and what it died of. */
function link(t: Test, words: string, recordings = 0) {
  const thread = new Worker(`setInterval(() => {}, 1000); ${words}`, { eval: true })
  t.teardown(() => thread.terminate())
  const clock = new ManualClock()
  const causes: string[] = []
  const made = new EngineLink({
    settings: SETTINGS,
    logLevel: 'silent',
    thread,
    mostLoad: 0.85,
    recordings: () => recordings,
    clock,
    onReport: () => {},
    onFork: () => {},
    onStopped: () => {},
    onPausesChanged: () => {},
    onDeath: (cause) => causes.push(cause),
  })
  /** Goes on in steps of a second, between which what has come is taken. */
  const goOn = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { link: made, causes, goOn }
}

t.test('an engine that has said nothing yet is given a minute to load', async (t) => {
  const { causes, goOn } = link(t, '')
  await goOn(59)
  t.same(causes, [])
  await goOn(1)
  await until(() => causes.length === 1)
  t.match(causes, ['it said nothing for 60000 ms'])
})

t.test('an engine that says nothing more hangs, and is ended after 15 seconds', async (t) => {
  const said = `require('node:worker_threads').parentPort.postMessage({ kind: 'report', recordings: 0, leastLoad: 0 })`
  const { link: made, causes, goOn } = link(t, said)
  await until(() => made.report)
  await goOn(14)
  t.same(causes, [])
  await goOn(1)
  await until(() => causes.length === 1)
  t.match(causes, ['it said nothing for 15000 ms'])
})

t.test(
  'recordings that came since the last report count before they have shown what they cost',
  async (t) => {
    const said = `for (let second = 0; second < 10; second++) require('node:worker_threads').parentPort.postMessage({ kind: 'report', recordings: 60, leastLoad: 0.6 })`
    for (const [recordings, takesMore] of [
      [60, true],
      [80, true],
      [120, false],
    ] as const) {
      const { link: made } = link(t, said, recordings)
      await until(() => made.report)
      t.equal(made.takesMore, takesMore, `${recordings} recordings`)
      t.equal(made.headroom > 0, takesMore)
    }
  },
)
