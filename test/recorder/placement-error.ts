import { SsrcReception } from '../../recorder/ssrc-reception.ts'
import { LEAD_IN_SAMPLES, type Placement, TimelineLeg } from '../../recorder/timeline-leg.ts'

/** A packet whose samples each tell where they belong. */
export interface TruePacket {
  /** Milliseconds. */
  readonly arrivesAtMs: number
  readonly sequence: number
  readonly timestamp: number
  /** Where its first sample belongs, in samples; may have fractions. */
  readonly belongsAt: number
  /** Samples. */
  readonly length: number
  readonly ssrc?: number
  /** It was read by so much later than it came, at most: milliseconds. */
  readonly waitedMs?: number
  /** Nothing can be heard in it, and nothing is told. */
  readonly isQuiet?: boolean
}

export interface PlacementErrors {
  /** The worst, milliseconds. */
  readonly earlyMs: number
  readonly lateMs: number
  /** The worst either way. */
  readonly worstMs: number
  readonly lostMs: number
  readonly placements: Readonly<Record<Placement, number>>
  readonly reanchored: number
}

/** Positions told are modulo this: errors up to half of it, 3.7 s, are told right. */
const CYCLE = 60_000
/** Sample values keep clear of what counts as quiet. */
const LOUD = 500
const HOLD_BACK_MS = 500
/** Two seconds in one packet: nobody sends more. */
const LONGEST_PACKET = 16_000
const QUIET = new Uint8Array(2 * LONGEST_PACKET)
const TOLD = Int16Array.from({ length: CYCLE + LONGEST_PACKET }, (_, index) => {
  const value = (index % CYCLE) - CYCLE / 2
  return value < 0 ? value - LOUD : value + LOUD
})

/** Has a leg place packets in the order of their arrival, takes slots as an engine does, and reads where each stands. */
export function placementErrors(
  packets: Iterable<TruePacket>,
  {
    untilMs,
    fromMs = 0,
    onError = () => {},
  }: {
    readonly untilMs: number
    /** What stands before is not judged. */
    readonly fromMs?: number
    /** Sees how far off each 10 ms stand that tell, late being positive. */
    readonly onError?: (errorMs: number, atMs: number) => void
  },
): PlacementErrors {
  let lost = 0
  const leg = new TimelineLeg(-LEAD_IN_SAMPLES, (_position, length) => {
    lost += length
  })
  leg.startAt(0)
  const placements = { placed: 0, late: 0, duplicate: 0 }
  let earlyMs = 0
  let lateMs = 0
  const takeUntil = (ms: number) => {
    while (leg.base + 160 <= ms * 8) {
      const position = leg.base
      leg.take()
      for (const at of [40, 120]) {
        const error = errorAt(leg.slot, at, position)
        if (error === undefined) continue
        const atMs = (position + at) / 8
        const errorMs = error / 8
        onError(errorMs, atMs)
        if (atMs < fromMs) continue
        earlyMs = Math.min(earlyMs, errorMs)
        lateMs = Math.max(lateMs, errorMs)
      }
    }
  }
  let reception = new SsrcReception(0)
  let strayed: TruePacket | undefined
  const receive = (packet: TruePacket): void => {
    switch (reception.receive(packet.sequence & 0xffff)) {
      case 'new':
        break
      case 'duplicate':
        placements.duplicate++
        return
      case 'strayed':
        strayed = packet
        return
      case 'restarted':
        reception = new SsrcReception(reception.ssrc)
        if (strayed !== undefined) receive(strayed)
        receive(packet)
        return
    }
    if (packet.length === 0) return
    const { missing } = reception
    if (missing > 0) reception.settleMissing()
    const placement = leg.place({
      timestamp: reception.extend(packet.timestamp >>> 0),
      arrivedAt: packet.arrivesAtMs * 8,
      waited: (packet.waitedMs ?? 0) * 8,
      missing,
      datagram: samplesOf(packet),
      offset: 0,
      length: packet.length,
      table: undefined,
      stride: 2,
      density: 1,
      opus: undefined,
      delay: 0,
      gap: 0,
    })
    placements[placement]++
  }
  for (const packet of packets) {
    // Slots are taken up to where sockets had been read.
    const readMs = packet.arrivesAtMs - (packet.waitedMs ?? 0)
    takeUntil(Math.min(untilMs, readMs - HOLD_BACK_MS))
    const ssrc = packet.ssrc ?? 1
    if (reception.ssrc !== ssrc) {
      reception = new SsrcReception(ssrc)
      leg.restart()
    }
    receive(packet)
  }
  takeUntil(untilMs)
  const worstMs = Math.max(-earlyMs, lateMs)
  return { earlyMs, lateMs, worstMs, lostMs: lost / 8, placements, reanchored: leg.reanchored }
}

function samplesOf({ belongsAt, length, isQuiet }: TruePacket): Uint8Array {
  if (isQuiet === true) return QUIET.subarray(0, 2 * length)
  const first = ((Math.round(belongsAt) % CYCLE) + CYCLE) % CYCLE
  return new Uint8Array(TOLD.buffer, 2 * first, 2 * length)
}

/** How far from its place the sample at an index stands, in samples; undefined where it tells nothing. */
function errorAt(slot: Int16Array, index: number, position: number): number | undefined {
  const before = slot[index - 1] ?? 0
  const value = slot[index] ?? 0
  const after = slot[index + 1] ?? 0
  if (Math.abs(value) < LOUD || Math.abs(after - before - 2) > 1 || before >= value)
    return undefined
  const told = value < 0 ? value + CYCLE / 2 + LOUD : value + CYCLE / 2 - LOUD
  const error = (((position + index - told) % CYCLE) + CYCLE) % CYCLE
  return error > CYCLE / 2 ? error - CYCLE : error
}

/** Deterministic numbers from 0 to 1. */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

/** How a sender sends, and what the network does to it. */
export interface Sending {
  readonly seconds: number
  readonly startMs?: number
  readonly packetMs?: number
  /** How much faster than ours the sender's clock runs. */
  readonly ppm?: number
  /** Delay of the packet sent at this time beyond the least there is, milliseconds. */
  readonly delayMs?: (sentAtMs: number) => number
  /** Whether nothing is said at this time. */
  readonly isQuiet?: (atMs: number) => boolean
  /** Nothing is sent in these times, and timestamps go on (DTX, hold)… */
  readonly pauses?: readonly Pause[]
  readonly isLost?: (index: number) => boolean
}

export interface Pause {
  readonly fromMs: number
  readonly toMs: number
  /** …or stand still. */
  readonly isUncounted?: boolean
}

/** The packets of one sender in the order of their arrival. */
export function sendPackets(sending: Sending): TruePacket[] {
  return [...sent(sending)].sort((a, b) => a.arrivesAtMs - b.arrivesAtMs)
}

/** The packets of one sender in the order of sending: that of arrival where delays differ by less than a packet. */
export function* sent(sending: Sending): Generator<TruePacket> {
  const { seconds, startMs = 100, packetMs = 20, ppm = 0, delayMs = () => 0 } = sending
  const { pauses = [], isLost = () => false, isQuiet = () => false } = sending
  const length = packetMs * 8
  const period = packetMs / (1 + ppm / 1e6)
  let sequence = 65_500
  let timestamp = 2 ** 32 - 4000
  let sentAtMs = startMs
  for (let index = 0; sentAtMs < startMs + seconds * 1000; index++) {
    const pause = pauses.find(({ fromMs, toMs }) => sentAtMs > fromMs && sentAtMs <= toMs)
    if (pause === undefined) {
      sequence++
      if (!isLost(index)) {
        yield {
          arrivesAtMs: sentAtMs + delayMs(sentAtMs),
          sequence,
          timestamp,
          // A packet is sent when it is full, and its end stands 20 ms after it came.
          belongsAt: sentAtMs * 8 + 160 - length,
          length,
          isQuiet: isQuiet(sentAtMs),
        }
      }
    }
    if (pause?.isUncounted !== true) timestamp += length
    sentAtMs += period
  }
}
