import { Concealment } from './concealment.ts'
import { DelayWindow } from './delay-window.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'
import { EMPTY, linearSample, SampleRing, type SampleSource } from './sample-ring.ts'

/** A packet of audio to be placed. Times and lengths are samples at 8 kHz. */
export interface AudioPacket extends SampleSource {
  /** Extended RTP timestamp of its first sample. */
  readonly timestamp: number
  /** When it arrived, as a position with fractions. */
  readonly arrivedAt: number
  /**
   * How many sequence numbers are missing between the highest before it and its own; negative where it is not the
   * highest itself.
   */
  readonly missing: number
}

/** `late`: its place was taken already, or is too far ahead to be held. */
export type Placement = 'placed' | 'late' | 'duplicate'

/** A stretch of a leg for which packets were sent and did not come in time, by position. */
export type OnLost = (position: number, length: number) => void

interface Span {
  readonly from: number
  readonly to: number
}

interface StalledEpoch {
  readonly anchor: number
  readonly end: number
}

/** Two seconds: what is held back, and some for what is early. */
export const USUAL_RING_SAMPLES = 16_384
/** Audio cannot arrive before it was spoken: a timestamp so far ahead of its arrival is a jump. */
const LEAD_LIMIT = 100 * SAMPLES_PER_MS
/** How far arrival may be from the end of the last packet where a timestamp jumps within running speech. */
const CONTINUES_BEFORE = 40 * SAMPLES_PER_MS
const CONTINUES_AFTER = 200 * SAMPLES_PER_MS
/** Overlaps up to this are errors of estimation; larger ones are real. */
const CLAMP = 60 * SAMPLES_PER_MS
/** Moving an epoch for less is not worth it. */
const LEAST_MOVE = 4
const PAUSE = 100 * SAMPLES_PER_MS
/** Drift within 2 ms is left alone, from there to 7 ms corrected where it is quiet, beyond that anywhere. */
const DRIFT_IDLE = 2 * SAMPLES_PER_MS
const DRIFT_URGENT = 7 * SAMPLES_PER_MS
const QUIET_STEP = 5 * SAMPLES_PER_MS
/** In speech one sample at a time, and no oftener: five a second are thrice what 200 ppm need, and are not heard. */
const PACKETS_PER_SLIP = 10
const QUIET_PEAK = 200
const MOST_HOLES = 64

/**
 * One leg of the timeline: places packets by RTP timestamp and gives them back slot by slot.
 *
 * An **epoch** is a stretch in which position = timestamp + anchor. Its anchor comes from arrival: the packet that
 * came with the least delay decides where the epoch stands, and until its first sample is taken the epoch is moved
 * as better packets come. Then it stays, and only drift is corrected, where nobody hears it. A packet's last sample
 * is placed 20 ms after its arrival, so that legs with different packet times agree.
 *
 * | what comes | what is done |
 * |---|---|
 * | next timestamp, or one as far ahead as the pause before it was long | same epoch; the pause is silence |
 * | sequence numbers missing | same epoch; their audio is lost and concealed |
 * | timestamp backwards, or ahead of its arrival | new epoch, right behind the last packet where that fits |
 * | timestamp so late that its slot was taken | new epoch at its arrival; if a burst then catches up, the old one again |
 * | `restart` (new SSRC) | new epoch at arrival |
 *
 * Positions are those of `sample-clock.ts`. Nothing here allocates for a packet that is not lost.
 */
export class TimelineLeg {
  readonly #onLost: OnLost
  readonly #ringSamples: number
  /** The slot before the one that was taken last, and that one. */
  readonly #audio = new Int16Array(2 * SLOT_SAMPLES)
  /** The slot that was taken last; the same view after every `take`. */
  readonly slot = this.#audio.subarray(SLOT_SAMPLES)
  readonly #concealment = new Concealment()
  readonly #delay = new DelayWindow()
  #ring: SampleRing | undefined
  #base: number
  #earliest = Number.NEGATIVE_INFINITY
  #latest = Number.POSITIVE_INFINITY
  #isSilent = true

  #anchor: number | undefined
  /** Timestamps before `#anchorFrom` are placed by the anchor before. */
  #anchorFrom = Number.NEGATIVE_INFINITY
  #anchorBefore = 0
  #epochStart = 0
  /** The end of what was there before the epoch. */
  #epochFloor = Number.NEGATIVE_INFINITY
  #isSettled = false
  #stalled: StalledEpoch | undefined

  #lastTimestamp = Number.NEGATIVE_INFINITY
  #lastLength = 0
  #endTimestamp = 0
  /** Position one past the newest packet in order. */
  #end = Number.NEGATIVE_INFINITY
  #holes: Span[] = []
  /** Up to here what came too late was told. */
  #missedTo = Number.NEGATIVE_INFINITY
  #slips = 0
  #reanchored = 0

  /** `ringSamples` is a power of two. */
  constructor(base: number, onLost: OnLost, ringSamples = USUAL_RING_SAMPLES) {
    this.#base = base
    this.#onLost = onLost
    this.#ringSamples = ringSamples
  }

  /** How often the leg was anchored anew within one SSRC. */
  get reanchored(): number {
    return this.#reanchored
  }

  /** Position of the next slot to be taken. */
  get base(): number {
    return this.#ring?.base ?? this.#base
  }

  /** One past the highest position that holds audio. */
  get end(): number {
    return this.#ring?.end ?? this.#base
  }

  /** The timeline's zero: an epoch that starts up to 60 ms before it is moved to it, so that no first word is cut. */
  startAt(position: number): void {
    this.#earliest = position
    this.discardBefore(position)
  }

  /** The call's end: packets that begin later are not placed any more. */
  endAt(position: number): void {
    this.#latest = position
  }

  /** The next packet starts an epoch, whatever its timestamp: it comes from another source. */
  restart(): void {
    this.#anchor = undefined
    this.#lastTimestamp = Number.NEGATIVE_INFINITY
    this.#stalled = undefined
  }

  place(packet: AudioPacket): Placement {
    const ring = this.#ringNow()
    if (packet.missing < 0 && this.#anchor !== undefined) return this.#placeStraggler(packet)
    if (packet.timestamp === this.#lastTimestamp) return 'duplicate'
    const anchor = this.#anchorFor(packet, ring)
    const position = anchor + packet.timestamp
    if (position >= this.#latest) return 'late'
    if (position + packet.length > ring.base + ring.capacity) return 'late'
    this.#lastTimestamp = packet.timestamp
    this.#lastLength = packet.length
    this.#endTimestamp = packet.timestamp + packet.length
    this.#end = position + packet.length
    this.#miss(position, Math.min(this.#end, ring.base))
    if (this.#end <= ring.base) return 'late'
    ring.write(position, packet)
    return 'placed'
  }

  /** Moves on by a slot, leaves its audio in `slot`, and returns its energy (sum of squares). */
  take(): number {
    const ring = this.#ring
    if (ring === undefined || ring.end <= ring.base) {
      if (!this.#isSilent) this.#audio.fill(0)
      this.#isSilent = true
      this.discardBefore(this.base + SLOT_SAMPLES)
      return 0
    }
    this.#isSilent = false
    const slot = this.slot
    const position = ring.base
    this.#audio.copyWithin(0, SLOT_SAMPLES)
    ring.take(slot)
    let energy = 0
    let hasEmpty = false
    for (let index = 0; index < SLOT_SAMPLES; index++) {
      const sample = slot[index] ?? 0
      if (sample === EMPTY) hasEmpty = true
      else energy += sample * sample
    }
    if (!hasEmpty) return energy
    return this.#fillEmpty(position)
  }

  /** Energy of the slot that starts so many samples after the next one to be taken. */
  energyAhead(samples: number): number {
    return this.#ring === undefined ? 0 : this.#ring.energy(this.#ring.base + samples)
  }

  /** Forgets what is before a position. */
  discardBefore(position: number): void {
    this.#base = Math.max(this.#base, position)
    this.#ring?.discardBefore(position)
  }

  #ringNow(): SampleRing {
    this.#ring ??= new SampleRing(this.#ringSamples, this.#base)
    return this.#ring
  }

  /** The anchor for the newest packet of its sequence. */
  #anchorFor(packet: AudioPacket, ring: SampleRing): number {
    const { timestamp, length, missing } = packet
    // Where the packet would stand had it come without any delay beyond the usual.
    const arrival = packet.arrivedAt + SLOT_SAMPLES - length
    if (this.#anchor === undefined) return this.#begin(timestamp, arrival)
    const position = this.#anchor + timestamp
    const isAhead = timestamp !== this.#endTimestamp && position - arrival > LEAD_LIMIT
    if (timestamp < this.#endTimestamp || isAhead) return this.#jump(packet, arrival)
    if (position + length <= ring.base) return this.#stall(timestamp, arrival)
    this.#refine(arrival, timestamp)
    if (this.#isSettled) this.#followClock(packet, arrival)
    const start = this.#anchor + timestamp
    if (missing > 0)
      this.#lose(
        this.#end,
        Math.min(start, this.#end + missing * Math.max(this.#lastLength, length)),
      )
    return this.#anchor
  }

  /** A new epoch at the packet's arrival, behind what is there already. */
  #begin(timestamp: number, arrival: number): number {
    this.#epochFloor = this.#end
    const floor = Math.max(this.#epochFloor, this.#earliest)
    const wanted = Math.round(arrival)
    const start = wanted < floor && floor - wanted <= CLAMP ? floor : wanted
    this.#epochStart = start
    this.#isSettled = false
    this.#delay.reset()
    return this.#anchorAt(timestamp, start)
  }

  #jump(packet: AudioPacket, arrival: number): number {
    const { timestamp, missing } = packet
    this.#reanchored++
    const next = this.#end + missing * this.#lastLength
    if (arrival < next - CONTINUES_BEFORE || arrival > next + CONTINUES_AFTER) {
      return this.#begin(timestamp, arrival)
    }
    // Speech ran on while the sender changed its clock: what was sent back to back stays back to back.
    this.#lose(this.#end, next)
    this.#isSettled = true
    return this.#anchorAt(timestamp, next)
  }

  /** The sender stood still without telling it by timestamps, or the network held packets back. */
  #stall(timestamp: number, arrival: number): number {
    this.#reanchored++
    this.#stalled = { anchor: this.#anchor ?? 0, end: this.#end }
    return this.#begin(timestamp, arrival)
  }

  #anchorAt(timestamp: number, position: number): number {
    this.#anchorBefore = this.#anchor ?? position - timestamp
    this.#anchorFrom = timestamp
    this.#anchor = position - timestamp
    return this.#anchor
  }

  /** Moves an epoch of which nothing was taken yet earlier, where a packet came with less delay than all before. */
  #refine(arrival: number, timestamp: number): void {
    const anchor = this.#anchor
    if (this.#isSettled || anchor === undefined) return
    if (this.base > this.#epochStart && this.#stalled === undefined) {
      this.#isSettled = true
      return
    }
    let by = Math.round(anchor + timestamp - arrival)
    if (by < LEAST_MOVE) return
    const stalled = this.#stalled
    if (stalled !== undefined && anchor - by <= stalled.anchor + CLAMP) {
      by = anchor - stalled.anchor
      this.#move(by, Number.NEGATIVE_INFINITY)
      this.#lose(stalled.end, this.base)
      this.#stalled = undefined
      this.#isSettled = true
      this.#reanchored--
      return
    }
    const floor = Math.max(this.#epochFloor, this.#earliest)
    const start = this.#epochStart - by
    if (start < floor && floor - start <= CLAMP) by = this.#epochStart - floor
    if (by > 0) this.#move(by, floor)
  }

  #move(by: number, floor: number): void {
    this.#ringNow().moveEarlier(this.#epochStart, this.#end, { by, floor })
    this.#holes = this.#holes.map((hole) =>
      hole.from >= this.#epochStart ? { from: hole.from - by, to: hole.to - by } : hole,
    )
    this.#anchor = (this.#anchor ?? 0) - by
    this.#epochStart -= by
    this.#end -= by
  }

  /** Corrects drift: whole after a pause, in steps where it is quiet, and sample by sample where it must be. */
  #followClock(packet: AudioPacket, arrival: number): void {
    const anchor = this.#anchor ?? 0
    const position = anchor + packet.timestamp
    this.#delay.observe(arrival - position, packet.arrivedAt)
    const offset = Math.round(this.#delay.offset)
    const size = Math.abs(offset)
    if (size <= DRIFT_IDLE) return
    const gap = position - this.#end
    let step = 0
    if (gap >= PAUSE && packet.missing === 0) step = Math.max(offset, -gap)
    else if (isQuiet(packet)) step = Math.sign(offset) * Math.min(size, QUIET_STEP)
    else if (size > DRIFT_URGENT && ++this.#slips % PACKETS_PER_SLIP === 0) {
      step = Math.sign(offset)
    }
    if (step === 0) return
    this.#anchorAt(packet.timestamp, position + step)
    this.#delay.moved(step)
  }

  #placeStraggler(packet: AudioPacket): Placement {
    const ring = this.#ringNow()
    const isOlder = packet.timestamp < this.#anchorFrom && this.#isSettled
    const anchor = isOlder ? this.#anchorBefore : (this.#anchor ?? 0)
    const position = anchor + packet.timestamp
    const end = position + packet.length
    if (position >= this.#latest) return 'late'
    if (end <= ring.base || end > ring.base + ring.capacity) return 'late'
    ring.write(position, packet)
    if (!this.#isSettled && position < this.#epochStart) this.#epochStart = position
    return 'placed'
  }

  /** What was taken as silence and only now turns out to have been sent is lost, and is told once. */
  #miss(from: number, to: number): void {
    const start = Math.max(from, this.#missedTo)
    if (to <= start) return
    this.#missedTo = to
    this.#onLost(start, to - start)
  }

  #lose(from: number, to: number): void {
    const taken = Math.min(to, this.base)
    this.#miss(from, taken)
    if (to <= Math.max(from, taken)) return
    if (this.#holes.length === MOST_HOLES) this.#holes.shift()
    this.#holes.push({ from, to })
  }

  /** Fills what no packet covered, and returns the slot's energy. */
  #fillEmpty(position: number): number {
    const audio = this.#audio
    for (let index = SLOT_SAMPLES; index < audio.length; index++) {
      if (audio[index] !== EMPTY) continue
      const hole = this.#holeAt(position + index - SLOT_SAMPLES)
      const limit = hole === undefined ? this.#nextHole(position + index - SLOT_SAMPLES) : hole.to
      const last = Math.min(audio.length, limit - position + SLOT_SAMPLES)
      let to = index + 1
      while (to < last && audio[to] === EMPTY) to++
      const at = position + index - SLOT_SAMPLES
      if (hole === undefined) {
        // A single sample is the slip that follows a drifting clock; longer gaps are silence.
        audio.fill(to - index === 1 ? (audio[index - 1] ?? 0) : 0, index, to)
      } else {
        this.#concealment.fill(audio, { from: index, to, position: at })
        this.#onLost(at, to - index)
      }
      index = to - 1
    }
    const end = position + SLOT_SAMPLES
    if (this.#holes.length > 0) this.#holes = this.#holes.filter((hole) => hole.to > end)
    let energy = 0
    for (const sample of this.slot) energy += sample * sample
    return energy
  }

  #holeAt(position: number): Span | undefined {
    return this.#holes.find((hole) => hole.from <= position && position < hole.to)
  }

  #nextHole(position: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const hole of this.#holes) if (hole.from > position && hole.from < next) next = hole.from
    return next
  }
}

function isQuiet(packet: AudioPacket): boolean {
  const { datagram, offset, length, table } = packet
  for (let index = 0; index < length; index++) {
    const sample =
      table === undefined
        ? linearSample(packet, index)
        : (table[datagram[offset + index] ?? 0] ?? 0)
    if (sample > QUIET_PEAK || sample < -QUIET_PEAK) return false
  }
  return true
}
