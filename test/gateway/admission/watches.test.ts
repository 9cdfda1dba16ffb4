import t from 'tap'
import { PacketWatch } from '../../../gateway/admission/packet-watch.ts'
import { SignallingWatch } from '../../../gateway/admission/signalling-watch.ts'
import type { EngineReport } from '../../../recorder/engine-protocol.ts'
import { ManualClock } from '../../manual-clock.ts'

function report(placed: number, dropped: number): EngineReport {
  return {
    kind: 'report',
    recordings: 1,
    portsInUse: 2,
    portsResting: 0,
    portsFree: 100,
    decoders: 0,
    lagMs: 0,
    load: 0.1,
    leastLoad: 0.1,
    complexity: 3,
    filesFree: 1000,
    filesLimit: 1024,
    counters: { packets_placed: placed, packets_dropped: dropped },
  }
}

t.test('an engine that lost packets gets no call for ten seconds', async (t) => {
  const clock = new ManualClock()
  const watch = new PacketWatch(clock)
  watch.reported(0, report(5000, 0))
  t.equal(watch.free, 1)
  watch.reported(0, report(10_000, 8))
  t.equal(watch.obstacle, undefined, 'a few of many are chance')
  watch.reported(0, report(15_000, 48))
  t.equal(watch.obstacle, 'the kernel dropped 40 packets of an engine’s within a second')
  clock.advance(9000)
  t.ok(watch.obstacle)
  clock.advance(1000)
  t.equal(watch.obstacle, undefined)
  watch.reported(0, report(100, 0))
  t.equal(watch.obstacle, undefined, 'an engine that was replaced counts anew')
})

/** A clock whose timers fall due late. */
function lookLate(clock: ManualClock, looks: number, lateMs: number): void {
  for (let look = 0; look < looks; look++) {
    clock.stall(250 + lateMs)
    clock.advance(0)
  }
}

t.test('signalling is busy after a second of lateness and not before it has relief', async (t) => {
  const clock = new ManualClock()
  let load = 0
  const watch = new SignallingWatch({ clock, mostLoad: 0.9, takeLoad: () => load })
  watch.start()
  load = 1
  clock.advance(5000)
  t.notOk(watch.isBusy, 'busy all the time and never late is just enough')
  lookLate(clock, 3, 100)
  t.notOk(watch.isBusy)
  lookLate(clock, 1, 100)
  t.ok(watch.isBusy)
  load = 0.85
  clock.advance(2000)
  t.ok(watch.isBusy, 'somewhat less is no relief')
  load = 0.5
  clock.advance(1250)
  t.notOk(watch.isBusy)
  lookLate(clock, 1, 60_000)
  t.notOk(watch.isBusy, 'a process that stood still once is not busy')
  lookLate(clock, 4, 500)
  t.ok(watch.isBusy, 'one that is held up again and again is')
  watch.close()
  t.equal(clock.timers, 0)
})
