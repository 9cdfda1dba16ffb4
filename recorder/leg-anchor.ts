import { type AudioPacket, isQuiet } from './audio-packet.ts'
import { ClockFollower } from './clock-follower.ts'
import { Epoch, SMALL_OVERLAP } from './epoch.ts'
import { HaltDetector } from './halt-detector.ts'
import type { LegBuffer } from './leg-buffer.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'

/** Audio cannot arrive before it was spoken: a timestamp so far ahead of its arrival is a jump. */
const LEAD_LIMIT = 100 * SAMPLES_PER_MS
/** How far arrival may be from the end of the last packet where a timestamp jumps within running speech… */
const CONTINUES_BEFORE = 40 * SAMPLES_PER_MS
const CONTINUES_AFTER = 20 * SAMPLES_PER_MS
/** …and, for packets that are missing at the jump, to be of that speech. */
const LOSES_AFTER = 200 * SAMPLES_PER_MS
/** What holds packets up for longer lets them go together. */
const LONG_HALT = 200 * SAMPLES_PER_MS
/** Moving an epoch for less is not worth it. */
const LEAST_MOVE = 4
const PAUSE = 100 * SAMPLES_PER_MS
/** In a longer pause clocks may have drifted apart by more than can be left alone, by so much of its length. */
const LONG_PAUSE = 10_000 * SAMPLES_PER_MS
const MOST_DRIFT = 500e-6
/** After so much audio what came late does not catch up any more. */
const CATCHING_UP = 1000 * SAMPLES_PER_MS

/** The epoch before, while it is open whether its sender paused or packets were only held up. */
interface Stalled {
  readonly anchor: number
  /** Where its audio ends. */
  readonly end: number
  /** Packets that come within so much of their old place have caught up. */
  readonly tolerance: number
  /** How much later than it should the first packet came. */
  readonly halt: number
  /** Before this position is taken it has to be known which of the two it was. */
  readonly decideAt: number
}

/**
 * Decides where a leg's packets stand on the timeline.
 *
 * The anchor of an epoch comes from arrival: the packet that came with the least delay decides where the epoch stands,
 * and until its first sample is taken the epoch is moved as better packets come. Then it stays, and only drift is
 * corrected, where nobody hears it. A packet's last sample is placed 20 ms after its arrival, so that legs with
 * different packet times agree.
 *
 * | what comes | what is done |
 * |---|---|
 * | next timestamp, or one as far ahead as the pause before it was long | same epoch; the pause is silence |
 * | the same after more than 10 s | new epoch at its arrival, as far as drift in the pause explains that |
 * | sequence numbers missing | same epoch; their audio is lost and concealed |
 * | what the engine was late to read | where it is expected, if it may have come then |
 * | timestamp backwards, or ahead of its arrival | new epoch, right behind the last packet where that fits |
 * | next timestamp, but much later than it should come | new epoch at its arrival; if a burst then catches up, the old one again |
 * | `restart` (new SSRC) | new epoch at arrival |
 *
 * Moves what the buffer holds, and tells it what was lost; placing is its leg's part.
 */
export class LegAnchor {
  readonly #buffer: LegBuffer
  readonly #clock = new ClockFollower()
  readonly #epoch = new Epoch()
  readonly #halts = new HaltDetector()
  #stalled: Stalled | undefined
  #beganBeforeZero = false
  /** The call's end. */
  #latest = Number.POSITIVE_INFINITY

  #lastTimestamp = Number.NEGATIVE_INFINITY
  #lastLength = 0
  /** Packets in order since its epoch began. */
  #packets = 0
  #wasQuiet = false
  /** Timestamp and position one past the newest packet in order. */
  #endTimestamp = 0
  #end = Number.NEGATIVE_INFINITY
  #stretch = 0
  #reanchored = 0

  constructor(buffer: LegBuffer) {
    this.#buffer = buffer
  }

  /** How often the leg was anchored anew within one SSRC. */
  get reanchored(): number {
    return this.#reanchored
  }

  /** Where its audio begins; undefined where it began before the timeline's zero was known, or has not begun. */
  get start(): number | undefined {
    const epoch = this.#epoch
    return epoch.anchor === undefined || this.#beganBeforeZero ? undefined : epoch.start
  }

  /** By how many samples the packet that was positioned last is to be stretched. */
  get stretch(): number {
    return this.#stretch
  }

  /** The timeline has its zero from now on. */
  startTimeline(): void {
    this.#beganBeforeZero = this.#epoch.anchor !== undefined
  }

  /** The call's end: nothing is anchored behind it. */
  endAt(position: number): void {
    this.#latest = position
  }

  /** Drift within so many samples is left alone. */
  allowDrift(slack: number): void {
    this.#clock.allow(slack)
  }

  /** The next packet starts an epoch, whatever its timestamp: it comes from another source. */
  restart(): void {
    this.#epoch.end()
    this.#lastTimestamp = Number.NEGATIVE_INFINITY
    this.#stalled = undefined
  }

  /** Whether newer packets of its epoch came before it. */
  isStraggler(packet: AudioPacket): boolean {
    return packet.missing < 0 && this.#epoch.anchor !== undefined
  }

  /** Whether it is the newest packet once more, under another sequence number. */
  isRepeated(packet: AudioPacket): boolean {
    return packet.timestamp === this.#lastTimestamp
  }

  /**
   * All up to `end` is to be taken now. A packet that came late and alone was held up: whoever goes on after a pause
   * sends more.
   */
  decideBefore(end: number): void {
    const stalled = this.#stalled
    if (stalled === undefined || stalled.decideAt >= end) return
    if (this.#packets < 2 && stalled.halt < LONG_HALT) this.#resumeOld(stalled)
    else this.#stalled = { ...stalled, decideAt: Number.POSITIVE_INFINITY }
  }

  /** Where the newest packet of its sequence stands. */
  positionOf(packet: AudioPacket): number {
    this.#stretch = 0
    const anchor = this.#stalled?.anchor ?? this.#epoch.anchor
    const expected = anchor === undefined ? undefined : anchor + packet.timestamp
    const arrival = arrivalOf(packet, expected)
    const position = this.#anchorFor(packet, arrival) + packet.timestamp
    if (packet.waited === 0) this.#halts.observe(arrival - position)
    return position
  }

  /** The newest packet stands up to `end`: the next one should go on there. */
  goOn(packet: AudioPacket, end: number): void {
    this.#packets++
    this.#lastTimestamp = packet.timestamp
    this.#lastLength = packet.length
    this.#endTimestamp = packet.timestamp + packet.length
    this.#end = end
  }

  positionOfStraggler(packet: AudioPacket): number {
    return this.#epoch.positionOfStraggler(packet.timestamp)
  }

  /** A straggler was placed there. */
  extendTo(packet: AudioPacket, position: number): void {
    this.#epoch.extendTo(packet.timestamp, position)
  }

  #anchorFor(packet: AudioPacket, arrival: number): number {
    const { timestamp, length } = packet
    const epoch = this.#epoch
    if (epoch.anchor === undefined) return this.#begin(timestamp, arrival)
    const position = epoch.anchor + timestamp
    const lead = (this.#stalled?.anchor ?? epoch.anchor) + timestamp - arrival
    const isAhead = timestamp !== this.#endTimestamp && lead > LEAD_LIMIT
    if (timestamp < this.#endTimestamp || isAhead) return this.#jump(packet)
    const isTaken = position + length <= this.#buffer.base
    const mayHalt = packet.missing === 0 && this.#stalled === undefined
    if (isTaken || (mayHalt && this.#halts.isHalt(arrival - position))) {
      // Nothing comes after the call's end: read so late, a packet is lost where it should have been.
      return arrival < this.#latest ? this.#stall(packet, arrival) : epoch.anchor
    }
    this.#refine(arrival, timestamp)
    const anchor = epoch.isSettled ? this.#followClock(packet, arrival) : epoch.anchor
    this.#loseBefore(packet, anchor + timestamp)
    return anchor
  }

  /** Sequence numbers are missing before a packet that stands there: so much before it is lost. */
  #loseBefore({ missing, length }: AudioPacket, position: number): void {
    if (missing <= 0) return
    const longest = missing * Math.max(this.#lastLength, length)
    this.#buffer.lose(this.#end, Math.min(position, this.#end + longest))
  }

  /** A new epoch at the packet's arrival, behind what is there already. */
  #begin(timestamp: number, arrival: number): number {
    this.#clock.reset()
    this.#packets = 0
    return this.#epoch.begin(timestamp, { near: Math.round(arrival), floor: this.#end })
  }

  #jump(packet: AudioPacket): number {
    const { timestamp, missing, gap } = packet
    this.#reanchored++
    this.#stalled = undefined
    const lostTo = this.#end + missing * this.#lastLength
    const next = lostTo + gap
    const arrival = arrivalOf(packet, next)
    if (arrival < next - CONTINUES_BEFORE || arrival > next + CONTINUES_AFTER) {
      if (Math.abs(arrival - next) <= LOSES_AFTER) {
        this.#buffer.lose(this.#end, Math.min(lostTo, Math.round(arrival)))
      }
      return this.#begin(timestamp, arrival)
    }
    // Speech ran on while the sender changed its clock: what was sent back to back stays back to back.
    this.#buffer.lose(this.#end, lostTo)
    this.#epoch.settle()
    return this.#epoch.turn(timestamp, next)
  }

  /** The sender stood still without telling it by timestamps, or the network held packets back. */
  #stall(packet: AudioPacket, arrival: number): number {
    const anchor = this.#epoch.anchor ?? 0
    const position = anchor + packet.timestamp
    const halt = arrival - position
    this.#reanchored++
    this.#stalled = {
      anchor,
      end: this.#end,
      tolerance: Math.min(SMALL_OVERLAP, halt / 3),
      halt,
      decideAt: position > this.#buffer.base ? position : Number.POSITIVE_INFINITY,
    }
    const begun = this.#begin(packet.timestamp, arrival)
    this.#loseBefore(packet, begun + packet.timestamp)
    return begun
  }

  /** Moves an epoch of which nothing was taken yet earlier, where a packet came with less delay than all before. */
  #refine(arrival: number, timestamp: number): void {
    const epoch = this.#epoch
    const { anchor } = epoch
    if (epoch.isSettled || anchor === undefined) return
    const stalled = this.#stalled
    const isTaken = this.#buffer.base > epoch.start
    if (isTaken && (stalled === undefined || this.#end - epoch.start > CATCHING_UP)) {
      this.#stalled = undefined
      epoch.settle()
      return
    }
    const by = Math.round(anchor + timestamp - arrival)
    if (by < LEAST_MOVE) return
    if (stalled !== undefined && anchor - by <= stalled.anchor + stalled.tolerance) {
      this.#resumeOld(stalled)
      return
    }
    // What was taken cannot be moved, and what follows it would be cut.
    if (isTaken) return
    const room = epoch.roomFor(by)
    if (room >= LEAST_MOVE) this.#move(room, epoch.floor)
  }

  /** What stalled stands where it would have without. */
  #resumeOld(stalled: Stalled): void {
    const { anchor = stalled.anchor } = this.#epoch
    this.#move(anchor - stalled.anchor, Number.NEGATIVE_INFINITY)
    this.#buffer.lose(stalled.end, this.#buffer.base)
    this.#stalled = undefined
    this.#epoch.settle()
    this.#reanchored--
  }

  #move(by: number, floor: number): void {
    this.#buffer.moveEarlier(this.#epoch.start, this.#end, { by, floor })
    this.#epoch.moveEarlier(by)
    this.#end -= by
  }

  /** Corrects drift where it can be done unheard, and returns the anchor for this packet. */
  #followClock(packet: AudioPacket, arrival: number): number {
    const epoch = this.#epoch
    const anchor = epoch.anchor ?? 0
    const { timestamp, length } = packet
    const position = anchor + timestamp
    const gap = position - this.#end
    if (gap >= LONG_PAUSE) return this.#resume(packet, { arrival, position, gap })
    // When it came is not known well enough to tell a clock by.
    if (packet.waited > 0) return anchor
    const clock = this.#clock
    if (!clock.isOff(arrival - position, packet.arrivedAt)) return anchor
    const isPause = gap >= PAUSE && packet.missing === 0
    const wasQuiet = this.#wasQuiet
    this.#wasQuiet = isQuiet(packet)
    if (isPause || (wasQuiet && this.#wasQuiet)) {
      const step = isPause ? clock.pauseStep(gap) : clock.quietStep()
      clock.moved(step)
      return epoch.turn(timestamp, position + step)
    }
    this.#stretch = clock.stretch(length)
    if (this.#stretch === 0) return anchor
    clock.moved(this.#stretch)
    epoch.turn(timestamp + length, this.#end + gap + length + this.#stretch)
    return anchor
  }

  /** Anchors anew after a long pause, as near to the arrival as drift can have made it. */
  #resume(
    { timestamp }: AudioPacket,
    { arrival, position, gap }: { arrival: number; position: number; gap: number },
  ): number {
    const drift = gap * MOST_DRIFT
    const near = Math.max(position - drift, Math.min(position + drift, arrival))
    this.#clock.reset()
    return this.#epoch.begin(timestamp, {
      near: Math.round(near),
      floor: Math.round(position - drift),
    })
  }
}

/**
 * Where a packet would stand had it come without any delay beyond the usual. One that waited to be read may have come
 * in time: then it stands where it was expected.
 */
function arrivalOf(
  { arrivedAt, waited, length }: AudioPacket,
  expected: number | undefined,
): number {
  const latest = arrivedAt + SLOT_SAMPLES - length
  if (waited === 0 || expected === undefined) return latest
  return Math.max(latest - waited, Math.min(latest, expected))
}
