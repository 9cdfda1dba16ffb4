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

t.test('signalling is busy after three bad looks and not before it has relief', async (t) => {
  const clock = new ManualClock()
  let load = 0
  const watch = new SignallingWatch({ clock, mostLoad: 0.9, takeLoad: () => load })
  watch.start()
  load = 0.95
  clock.advance(500)
  t.notOk(watch.isBusy)
  clock.advance(250)
  t.ok(watch.isBusy)
  load = 0.85
  clock.advance(2000)
  t.ok(watch.isBusy, 'somewhat less is no relief')
  load = 0.5
  clock.advance(750)
  t.notOk(watch.isBusy)
  clock.stall(60_000)
  clock.advance(250)
  t.notOk(watch.isBusy, 'a process that stood still once is not busy')
  watch.close()
  t.equal(clock.timers, 0)
})
