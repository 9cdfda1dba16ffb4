import type { LossSpan } from '../../recorder/recording-plan.ts'
import { SsrcReception } from '../../recorder/ssrc-reception.ts'
import { LEAD_IN_SAMPLES, type Placement, TimelineLeg } from '../../recorder/timeline-leg.ts'

/** Each sample of a sender's media is its index modulo this, plus one, in steps of `STEP`: 0 is silence. */
export const CYCLE = 251
/** Large enough that media is not taken for quiet. */
export const STEP = 100
/** Decodes a byte so that what comes out of a leg tells which sample it was. */
const TABLE = Int16Array.from({ length: 256 }, (_, byte) => byte * STEP)
const LONGEST_PACKET = 1600
const MEDIA = Uint8Array.from({ length: CYCLE + LONGEST_PACKET }, (_, index) => (index % CYCLE) + 1)
const QUIET = new Uint8Array(LONGEST_PACKET).fill(1)

export interface SimulatedPacket {
  /** When the packet arrives, milliseconds. */
  readonly arrivesAtMs: number
  readonly sequence: number
  readonly timestamp: number
  /** Index of its first sample in the sender's media. */
  readonly media: number
  /** Samples; 0 for a packet that has a number and no audio. */
  readonly length: number
  readonly ssrc?: number
  /** A quiet packet: all its samples are one `STEP`. */
  readonly isQuiet?: boolean
}

export interface SimulationResult {
  /** What was taken, from position 0. */
  readonly samples: Int16Array
  readonly placements: Readonly<Record<Placement, number>>
  readonly losses: readonly Omit<LossSpan, 'channel'>[]
  readonly reanchored: number
  /** Where the leg says that it begins, when all packets have come. */
  readonly start: number | undefined
}

const ZERO = 0

/** Feeds packets to a leg in the order of their arrival and takes slots 500 ms later, as an engine does. */
export function simulateLeg(
  packets: readonly SimulatedPacket[],
  {
    untilMs,
    holdBackMs = 500,
    onSlot,
  }: {
    readonly untilMs: number
    readonly holdBackMs?: number
    /** Sees each slot instead of it being kept. */
    readonly onSlot?: (slot: Int16Array, position: number) => void
  },
): SimulationResult {
  const losses: { fromMs: number; lengthMs: number }[] = []
  const leg = new TimelineLeg(ZERO - LEAD_IN_SAMPLES, (position, length) =>
    losses.push({ fromMs: position / 8, lengthMs: length / 8 }),
  )
  leg.startAt(ZERO)
  const samples = new Int16Array(onSlot === undefined ? Math.ceil(untilMs / 20) * 160 : 0)
  const placements = { placed: 0, late: 0, duplicate: 0 }
  let reception: SsrcReception | undefined
  const takeUntil = (ms: number) => {
    while (leg.base + 160 <= ms * 8) {
      const position = leg.base
      leg.take()
      if (onSlot === undefined)
        samples.set(leg.slot.subarray(Math.max(0, -position)), Math.max(0, position))
      else onSlot(leg.slot, position)
    }
  }
  for (const packet of packets.toSorted((a, b) => a.arrivesAtMs - b.arrivesAtMs)) {
    takeUntil(Math.min(untilMs, packet.arrivesAtMs - holdBackMs))
    if (reception === undefined || reception.ssrc !== (packet.ssrc ?? 1)) {
      reception = new SsrcReception(packet.ssrc ?? 1)
      leg.restart()
    }
    if (reception.receive(packet.sequence & 0xffff) !== 'new') {
      placements.duplicate++
      continue
    }
    if (packet.length === 0) continue
    const placement = leg.place({
      timestamp: reception.extend(packet.timestamp >>> 0),
      arrivedAt: packet.arrivesAtMs * 8,
      waited: 0,
      missing: reception.missing,
      datagram: mediaBytes(packet),
      offset: 0,
      length: packet.length,
      table: TABLE,
      stride: 1,
      density: 1,
      opus: undefined,
      delay: 0,
      gap: 0,
    })
    if (reception.missing > 0) reception.settleMissing()
    placements[placement]++
  }
  takeUntil(untilMs)
  return { samples, placements, losses, reanchored: leg.reanchored, start: leg.start }
}

/** Value of a sample of a sender's media. */
export function mediaValue(index: number): number {
  return ((index % CYCLE) + 1) * STEP
}

/** A run of packets of 20 ms (or so many samples), sent and received at the pace of their audio. */
export function packets(
  count: number,
  {
    startMs = 0,
    length = 160,
    sequence = 1,
    timestamp = 0,
    media = 0,
    delay = () => 0,
    ssrc = 1,
  }: {
    readonly startMs?: number
    readonly length?: number
    readonly sequence?: number
    readonly timestamp?: number
    readonly media?: number
    readonly delay?: (index: number) => number
    readonly ssrc?: number
  } = {},
): SimulatedPacket[] {
  return Array.from({ length: count }, (_, index) => ({
    arrivesAtMs: startMs + (index * length) / 8 + delay(index),
    sequence: sequence + index,
    timestamp: timestamp + index * length,
    media: media + index * length,
    length,
    ssrc,
  }))
}

/**
 * Where the sample with a media index stands in the output, looked for around where it is expected; undefined where
 * 100 samples from there on are not there in order.
 */
export function positionOf(
  samples: Int16Array,
  media: number,
  { near, within = 120 }: { readonly near: number; readonly within?: number },
): number | undefined {
  for (let at = Math.max(0, near - within); at <= near + within; at++) {
    let index = 0
    while (index < 100 && samples[at + index] === mediaValue(media + index)) index++
    if (index === 100) return at
  }
  return undefined
}

function mediaBytes({ media, length, isQuiet }: SimulatedPacket): Uint8Array {
  if (isQuiet === true) return QUIET.subarray(0, length)
  return MEDIA.subarray(media % CYCLE, (media % CYCLE) + length)
}
