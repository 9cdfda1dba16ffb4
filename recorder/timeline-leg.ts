import { ClockFollower } from './clock-follower.ts'
import { LegBuffer, type OnLost } from './leg-buffer.ts'
import { isNearMiddle, offMiddle } from './packet-grid.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'
import { type SampleSource, sampleAt } from './sample-ring.ts'

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

interface StalledEpoch {
  readonly anchor: number
  readonly end: number
}

/** Audio cannot arrive before it was spoken: a timestamp so far ahead of its arrival is a jump. */
const LEAD_LIMIT = 100 * SAMPLES_PER_MS
/** How far arrival may be from the end of the last packet where a timestamp jumps within running speech. */
const CONTINUES_BEFORE = 40 * SAMPLES_PER_MS
const CONTINUES_AFTER = 200 * SAMPLES_PER_MS
/** Overlaps up to this are errors of estimation; larger ones are real. */
const CLAMP = 60 * SAMPLES_PER_MS
/**
 * So much from before the timeline's zero is held, since a packet that is on its way at the answer begins before it: a
 * whole number of slots, and all of a packet of 120 ms.
 */
export const LEAD_IN_SAMPLES = 5 * SLOT_SAMPLES
/** Moving an epoch for less is not worth it. */
const LEAST_MOVE = 4
const PAUSE = 100 * SAMPLES_PER_MS
const QUIET_PEAK = 200

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
  readonly #buffer: LegBuffer
  readonly #clock = new ClockFollower()
  /** The slot that was taken last; the same view after every `take`. */
  readonly slot: Int16Array
  #zero: number | undefined
  #beganBeforeZero = false
  #latest = Number.POSITIVE_INFINITY

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
  /** By how much the packet that is being placed is stretched. */
  #stretch = 0
  #reanchored = 0

  /** Holds up to `ringSamples`, a power of two, ahead of what was taken: two seconds by default. */
  constructor(base: number, onLost: OnLost, ringSamples?: number) {
    this.#buffer = new LegBuffer(base, onLost, ringSamples)
    this.slot = this.#buffer.slot
  }

  /** How often the leg was anchored anew within one SSRC. */
  get reanchored(): number {
    return this.#reanchored
  }

  /** Position of the next slot to be taken. */
  get base(): number {
    return this.#buffer.base
  }

  /** One past the highest position that holds audio. */
  get end(): number {
    return this.#buffer.end
  }

  /** The timeline's zero. What was said before is forgotten, but for the lead-in. */
  startAt(zero: number): void {
    this.#zero = zero
    this.#beganBeforeZero = this.#anchor !== undefined
    this.discardBefore(zero - LEAD_IN_SAMPLES)
  }

  /** Where its audio begins; undefined where it began before the timeline's zero was known, or has not begun. */
  get start(): number | undefined {
    return this.#anchor === undefined || this.#beganBeforeZero ? undefined : this.#epochStart
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
    const buffer = this.#buffer
    if (packet.missing < 0 && this.#anchor !== undefined) return this.#placeStraggler(packet)
    if (packet.timestamp === this.#lastTimestamp) return 'duplicate'
    this.#stretch = 0
    const position = this.#anchorFor(packet) + packet.timestamp
    const end = position + packet.length + this.#stretch
    if (position >= this.#latest || end > buffer.limit) return 'late'
    this.#lastTimestamp = packet.timestamp
    this.#lastLength = packet.length
    this.#endTimestamp = packet.timestamp + packet.length
    this.#end = end
    buffer.miss(position, end)
    if (end <= buffer.base) return 'late'
    buffer.write(position, packet, packet.length + this.#stretch)
    return 'placed'
  }

  /** Moves on by a slot, leaves its audio in `slot`, and returns its energy (sum of squares). */
  take(): number {
    return this.#buffer.take()
  }

  /** Energy of the slot that starts so many samples after the next one to be taken. */
  energyAhead(samples: number): number {
    return this.#buffer.energyAhead(samples)
  }

  /** Forgets what is before a position. */
  discardBefore(position: number): void {
    this.#buffer.discardBefore(position)
  }

  /** The anchor for the newest packet of its sequence. */
  #anchorFor(packet: AudioPacket): number {
    const { timestamp, length, missing } = packet
    // Where the packet would stand had it come without any delay beyond the usual.
    const arrival = packet.arrivedAt + SLOT_SAMPLES - length
    if (this.#anchor === undefined) return this.#begin(timestamp, arrival)
    const position = this.#anchor + timestamp
    const isAhead = timestamp !== this.#endTimestamp && position - arrival > LEAD_LIMIT
    if (timestamp < this.#endTimestamp || isAhead) return this.#jump(packet, arrival)
    if (position + length <= this.base) return this.#stall(timestamp, arrival)
    this.#refine(arrival, timestamp)
    const anchor = this.#isSettled ? this.#followClock(packet, arrival) : this.#anchor
    const start = anchor + timestamp
    if (missing > 0) {
      const longest = missing * Math.max(this.#lastLength, length)
      this.#buffer.lose(this.#end, Math.min(start, this.#end + longest))
    }
    return anchor
  }

  /** A new epoch at the packet's arrival, behind what is there already. */
  #begin(timestamp: number, arrival: number): number {
    this.#epochFloor = this.#end
    this.#epochStart = this.#startNear(Math.round(arrival))
    this.#isSettled = false
    this.#clock.reset()
    return this.#anchorAt(timestamp, this.#epochStart)
  }

  #jump(packet: AudioPacket, arrival: number): number {
    const { timestamp, missing } = packet
    this.#reanchored++
    const next = this.#end + missing * this.#lastLength
    if (arrival < next - CONTINUES_BEFORE || arrival > next + CONTINUES_AFTER) {
      return this.#begin(timestamp, arrival)
    }
    // Speech ran on while the sender changed its clock: what was sent back to back stays back to back.
    this.#buffer.lose(this.#end, next)
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
      this.#buffer.lose(stalled.end, this.base)
      this.#stalled = undefined
      this.#isSettled = true
      this.#reanchored--
      return
    }
    by = this.#epochStart - this.#startNear(this.#epochStart - by)
    if (by >= LEAST_MOVE) this.#move(by, this.#epochFloor)
  }

  /** Where the epoch starts if it is to start there: a small overlap with what is before it is none. */
  #startNear(wanted: number): number {
    const floor = this.#epochFloor
    const isClamped = wanted < floor && floor - wanted <= CLAMP
    const start = isClamped ? floor : wanted
    return this.#offMiddle(start, isClamped ? floor : wanted - CLAMP)
  }

  #offMiddle(position: number, floor: number): number {
    const zero = this.#zero
    return zero === undefined ? position : offMiddle(position, { zero, floor })
  }

  #move(by: number, floor: number): void {
    this.#buffer.moveEarlier(this.#epochStart, this.#end, { by, floor })
    this.#anchor = (this.#anchor ?? 0) - by
    this.#epochStart -= by
    this.#end -= by
  }

  /** Corrects drift where it can be done unheard, and returns the anchor for this packet. */
  #followClock(packet: AudioPacket, arrival: number): number {
    const anchor = this.#anchor ?? 0
    const { timestamp, length } = packet
    const position = anchor + timestamp
    const clock = this.#clock
    if (!clock.isOff(arrival - position, packet.arrivedAt)) return anchor
    const gap = position - this.#end
    const isPause = gap >= PAUSE && packet.missing === 0
    if (isPause || isQuiet(packet)) {
      const step = isPause ? clock.pauseStep(gap) : clock.quietStep()
      const target = this.#offMiddle(position + step, this.#end)
      clock.moved(target - position)
      return this.#anchorAt(timestamp, target)
    }
    this.#stretch = clock.stretch(length, isNearMiddle(position, this.#zero ?? 0))
    if (this.#stretch === 0) return anchor
    clock.moved(this.#stretch)
    this.#anchorAt(timestamp + length, this.#end + gap + length + this.#stretch)
    return anchor
  }

  #placeStraggler(packet: AudioPacket): Placement {
    const buffer = this.#buffer
    const isOlder = packet.timestamp < this.#anchorFrom && this.#isSettled
    const anchor = isOlder ? this.#anchorBefore : (this.#anchor ?? 0)
    const position = anchor + packet.timestamp
    const end = position + packet.length
    if (position >= this.#latest || end <= buffer.base || end > buffer.limit) return 'late'
    buffer.write(position, packet, packet.length)
    if (!this.#isSettled && position < this.#epochStart) this.#epochStart = position
    return 'placed'
  }
}

function isQuiet(packet: AudioPacket): boolean {
  for (let index = 0; index < packet.length; index++) {
    const sample = sampleAt(packet, index)
    if (sample > QUIET_PEAK || sample < -QUIET_PEAK) return false
  }
  return true
}
