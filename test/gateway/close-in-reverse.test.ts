import t from 'tap'
import { type Closing, closeInReverse } from '../../gateway/close-in-reverse.ts'
import { keptLog } from '../kept-log.ts'
import { ManualClock } from '../manual-clock.ts'
import { until } from '../until.ts'

function rig() {
  const clock = new ManualClock()
  const { log, lines } = keptLog()
  const closed: string[] = []
  const part = (name: string, takesMs = 0, more: Partial<Closing> = {}): Closing => ({
    name,
    close: () =>
      new Promise<void>((resolve) => {
        const end = () => {
          closed.push(name)
          resolve()
        }
        if (takesMs === 0) end()
        else clock.after(takesMs, end)
      }),
    ...more,
  })
  const close = (closing: readonly Closing[]) =>
    closeInReverse(closing, { withinMs: 1000, clock, log })
  return { clock, lines, closed, part, close }
}

t.test('what was started is closed, the last first, whatever one of them throws', async (t) => {
  const { lines, closed, part, close } = rig()
  const throwing = () => {
    throw new Error('it cannot be closed')
  }
  const parts = [part('first'), part('second', 0, { close: throwing }), part('third')]
  t.equal(await close(parts), true)
  t.strictSame(closed, ['third', 'first'])
  t.match(lines(), [{ msg: 'not closed in order', part: 'second' }])
  t.equal(await close([part('hung', 0, { close: async () => false })]), false)
})

t.test('what hangs leaves to the others what is kept for them', async (t) => {
  const { clock, lines, closed, part, close } = rig()
  const parts = [
    part('disks', 150, { keptMs: 200 }),
    part('journal', 300, { keptMs: 300 }),
    part('engines', 10),
    part('calls', 1e9),
    part('comparison', 100),
  ]
  const ended = close(parts)
  let isWhole: boolean | undefined
  void ended.then((whole) => {
    isWhole = whole
  })
  await until(() => {
    if (isWhole === undefined && clock.timers > 0) clock.advance(10)
    return isWhole !== undefined
  })
  t.equal(isWhole, false)
  t.strictSame(
    closed.filter((name) => name !== 'engines'),
    ['comparison', 'journal', 'disks'],
  )
  t.ok(clock.monotonicMs() <= 1000)
  t.match(lines()[0], { level: 50, msg: 'not closed in time', part: 'calls', waitedMs: 400 })
})
