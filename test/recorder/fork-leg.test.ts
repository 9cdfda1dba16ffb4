import t from 'tap'
import { ForkLeg } from '../../recorder/fork-leg.ts'
import { TimelineLeg } from '../../recorder/timeline-leg.ts'
import { ManualClock } from '../manual-clock.ts'

const SLOT_MS = 20
const HOLD_BACK_MS = 500
const STALL_WAIT_MS = 2500
/** A packet's last sample stands so long after its arrival, whatever its length. */
const PLACED_AFTER_MS = 20

/** A value that says at which millisecond of the call a sample was spoken; never zero. */
function spoken(ms: number): number {
  return 1000 + ms
}

/**
 * A leg fed by `frame(fromMs, lengthMs)` and taken by a recorder that holds back half a second, and longer where the
 * leg says that more may come. `heard` has the sample at the start of each millisecond.
 */
function simulate() {
  const clock = new ManualClock()
  const losses: [number, number][] = []
  const onLost = (at: number, length: number) =>
    losses.push([Math.round(at / 8), Math.round(length / 8)])
  const leg = new TimelineLeg(0, () => {}, 32_768)
  const plan = { streamId: 'fork-caller', role: 'caller', isReceiving: true } as const
  const fork = new ForkLeg({ plan, leg, clock, onLost })
  const heard: number[] = []
  const takeUntil = (positionMs: number) => {
    while (leg.base / 8 + SLOT_MS <= positionMs) {
      leg.take()
      for (let ms = 0; ms < SLOT_MS; ms++) heard.push(leg.slot[ms * 8] ?? 0)
    }
  }
  clock.every(SLOT_MS, () => {
    const positionMs = clock.monotonicMs() - HOLD_BACK_MS
    const limitMs = fork.isAwaited ? Math.min(positionMs, leg.end / 8) : positionMs
    takeUntil(Math.max(limitMs, positionMs - STALL_WAIT_MS))
  })
  return {
    clock,
    fork,
    losses,
    heard,
    frame(fromMs: number, lengthMs: number) {
      const bytes = Buffer.alloc(lengthMs * 16)
      for (let index = 0; index < lengthMs * 8; index++) {
        bytes.writeInt16LE(spoken(fromMs + Math.floor(index / 8)), index * 2)
      }
      fork.take({ bytes, offset: 0, length: lengthMs * 8, stride: 2 })
    },
    /** Frames of 20 ms at their pace: what is spoken comes when it was. */
    talk(fromMs: number, untilMs: number) {
      for (let ms = fromMs; ms < untilMs; ms += SLOT_MS) {
        clock.advance(ms + SLOT_MS - clock.monotonicMs())
        this.frame(ms, SLOT_MS)
      }
    },
    finish(atMs: number) {
      clock.advance(atMs - clock.monotonicMs())
      fork.settle()
      takeUntil(atMs + PLACED_AFTER_MS)
    },
  }
}

/** Where a moment of the call is heard; negative where it is not. */
function placeOf(heard: readonly number[], ms: number): number {
  return heard.indexOf(spoken(ms)) - PLACED_AFTER_MS
}

t.test('frames at their pace stand where they were spoken', async (t) => {
  const call = simulate()
  call.fork.connected()
  call.talk(0, 4000)
  call.finish(4000)
  for (const ms of [0, 1000, 3980]) t.equal(placeOf(call.heard, ms), ms)
  t.same(call.losses, [])
  t.match(call.fork.tally, { placed: 200, late: 0, reanchored: 0 })
})

t.test('what a stall held back for two seconds finds its way back whole', async (t) => {
  const call = simulate()
  call.fork.connected()
  call.talk(0, 1000)
  call.clock.advance(2000)
  call.frame(1000, 2000)
  call.talk(3000, 5000)
  call.finish(5000)
  for (const ms of [0, 980, 1000, 2000, 2980, 3000, 4980]) t.equal(placeOf(call.heard, ms), ms)
  t.same(call.losses, [])
  t.match(call.fork.tally, { late: 0 })
})

t.test('a burst of single frames after a stall is the same', async (t) => {
  const call = simulate()
  call.fork.connected()
  call.talk(0, 1000)
  call.clock.advance(1500)
  for (let ms = 1000; ms < 2500; ms += SLOT_MS) call.frame(ms, SLOT_MS)
  call.talk(2500, 4000)
  call.finish(4000)
  for (const ms of [980, 1000, 1700, 2480, 2500, 3980]) t.equal(placeOf(call.heard, ms), ms)
  t.same(call.losses, [])
})

t.test('a pause is silence of its length, and no loss', async (t) => {
  for (const pauseMs of [300, 1500, 4000]) {
    const call = simulate()
    call.fork.connected()
    call.talk(0, 1000)
    call.talk(1000 + pauseMs, 3000 + pauseMs)
    call.finish(3000 + pauseMs)
    t.equal(placeOf(call.heard, 980), 980)
    const resumed = placeOf(call.heard, 1000 + pauseMs)
    t.ok(Math.abs(resumed - 1000 - pauseMs) <= 5, `resumed at ${resumed} after ${pauseMs}`)
    t.ok(call.heard.slice(1050, resumed).every((sample) => sample === 0))
    t.same(call.losses, [])
  }
})

t.test('where more was said than could be held back, what is missing is lost', async (t) => {
  const call = simulate()
  call.fork.connected()
  call.talk(0, 1000)
  call.clock.advance(2000)
  call.frame(2000, 1000)
  call.talk(3000, 4000)
  call.finish(4000)
  for (const ms of [980, 2000, 2980, 3000, 3980]) t.equal(placeOf(call.heard, ms), ms)
  t.same(call.losses, [[1000, 1000]])
})

t.test('the time without a fork is lost, from the last that was heard to the next', async (t) => {
  const call = simulate()
  call.clock.advance(300)
  call.fork.connected()
  call.talk(300, 1000)
  call.clock.advance(40)
  call.fork.disconnected()
  call.clock.advance(960)
  call.fork.connected()
  call.talk(2000, 3000)
  call.clock.advance(10)
  call.fork.disconnected()
  call.clock.advance(490)
  call.fork.end(3500 * 8)
  call.finish(3500)
  t.equal(placeOf(call.heard, 980), 980)
  t.equal(placeOf(call.heard, 2000), 2000)
  t.same(call.losses, [
    [0, 300],
    [1000, 1000],
    [3000, 500],
  ])
})

/** What a re-offer says of the leg. */
function update(isReceiving: boolean) {
  return {
    streamId: 'fork-caller',
    role: 'caller',
    isReceiving,
    formats: [],
    eventPayloadTypes: [],
    comfortNoisePayloadTypes: [],
    remote: undefined,
  } as const
}

t.test(
  'what comes on hold is counted, silent and no loss, and what follows stands in its place',
  async (t) => {
    const call = simulate()
    call.fork.startCounting()
    call.fork.connected()
    call.talk(0, 1000)
    call.fork.update(update(false))
    call.talk(1000, 2000)
    t.equal(call.fork.isAwaited, false)
    call.fork.update(update(true))
    call.talk(2000, 3000)
    call.fork.stopCounting()
    call.finish(3000)
    for (const ms of [980, 2000, 2980]) t.equal(placeOf(call.heard, ms), ms)
    t.equal(placeOf(call.heard, 1500), -1 - PLACED_AFTER_MS)
    t.same(call.losses, [])
    t.match(call.fork.tally, { placed: 100, whileInactive: 50 })
    t.equal(call.fork.receivingMs, 2000)
  },
)

t.test(
  'a fork that is away on hold loses nothing, and before and after it what it does not bring',
  async (t) => {
    const call = simulate()
    call.fork.connected()
    call.talk(0, 1000)
    call.fork.disconnected()
    call.clock.advance(100)
    call.fork.update(update(false))
    call.clock.advance(900)
    call.fork.update(update(true))
    call.clock.advance(200)
    call.fork.connected()
    call.talk(2200, 3000)
    call.finish(3000)
    t.equal(placeOf(call.heard, 2200), 2200)
    t.same(call.losses, [
      [1000, 100],
      [2000, 200],
    ])
  },
)
