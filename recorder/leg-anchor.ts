import { type AudioPacket, isQuiet } from './audio-packet.ts'
import { ClockFollower } from './clock-follower.ts'
import { Epoch, SMALL_OVERLAP } from './epoch.ts'
import type { LegBuffer } from './leg-buffer.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'

/** Audio cannot arrive before it was spoken: a timestamp so far ahead of its arrival is a jump. */
const LEAD_LIMIT = 100 * SAMPLES_PER_MS
/** How far arrival may be from the end of the last packet where a timestamp jumps within running speech. */
const CONTINUES_BEFORE = 40 * SAMPLES_PER_MS
const CONTINUES_AFTER = 200 * SAMPLES_PER_MS
/** Moving an epoch for less is not worth it. */
const LEAST_MOVE = 4
const PAUSE = 100 * SAMPLES_PER_MS
/** After so much audio what came late does not catch up any more. */
const CATCHING_UP = 1000 * SAMPLES_PER_MS

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
 * | sequence numbers missing | same epoch; their audio is lost and concealed |
 * | timestamp backwards, or ahead of its arrival | new epoch, right behind the last packet where that fits |
 * | timestamp so late that its slot was taken | new epoch at its arrival; if a burst then catches up, the old one again |
 * | `restart` (new SSRC) | new epoch at arrival |
 *
 * Moves what the buffer holds, and tells it what was lost; placing is its leg's part.
 */
export class LegAnchor {
  readonly #buffer: LegBuffer
  readonly #clock = new ClockFollower()
  readonly #epoch = new Epoch()
  /** Where the epoch before stood and ended, while it is open whether its sender only stalled. */
  #stalled: { readonly anchor: number; readonly end: number } | undefined
  #beganBeforeZero = false

  #lastTimestamp = Number.NEGATIVE_INFINITY
  #lastLength = 0
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

  startAt(zero: number): void {
    this.#beganBeforeZero = this.#epoch.anchor !== undefined
    this.#epoch.alignTo(zero)
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

  /** Where the newest packet of its sequence stands. */
  positionOf(packet: AudioPacket): number {
    this.#stretch = 0
    return this.#anchorFor(packet) + packet.timestamp
  }

  /** The newest packet stands up to `end`: the next one should go on there. */
  goOn(packet: AudioPacket, end: number): void {
    this.#lastTimestamp = packet.timestamp
    this.#lastLength = packet.length
    this.#endTimestamp = packet.timestamp + packet.length
    this.#end = end
  }

  positionOfStraggler(packet: AudioPacket): number {
    return this.#epoch.positionOfStraggler(packet.timestamp)
  }

  /** A straggler was placed there. */
  extendTo(position: number): void {
    this.#epoch.extendTo(position)
  }

  #anchorFor(packet: AudioPacket): number {
    const { timestamp, length, missing } = packet
    const epoch = this.#epoch
    // Where the packet would stand had it come without any delay beyond the usual.
    const arrival = packet.arrivedAt + SLOT_SAMPLES - length
    if (epoch.anchor === undefined) return this.#begin(timestamp, arrival)
    const position = epoch.anchor + timestamp
    const isAhead = timestamp !== this.#endTimestamp && position - arrival > LEAD_LIMIT
    if (timestamp < this.#endTimestamp || isAhead) return this.#jump(packet, arrival)
    if (position + length <= this.#buffer.base) return this.#stall(timestamp, arrival)
    this.#refine(arrival, timestamp)
    const anchor = epoch.isSettled ? this.#followClock(packet, arrival) : epoch.anchor
    if (missing > 0) {
      const longest = missing * Math.max(this.#lastLength, length)
      this.#buffer.lose(this.#end, Math.min(anchor + timestamp, this.#end + longest))
    }
    return anchor
  }

  /** A new epoch at the packet's arrival, behind what is there already. */
  #begin(timestamp: number, arrival: number): number {
    this.#clock.reset()
    return this.#epoch.begin(timestamp, { near: Math.round(arrival), floor: this.#end })
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
    this.#epoch.settle()
    return this.#epoch.turn(timestamp, next)
  }

  /** The sender stood still without telling it by timestamps, or the network held packets back. */
  #stall(timestamp: number, arrival: number): number {
    this.#reanchored++
    this.#stalled = { anchor: this.#epoch.anchor ?? 0, end: this.#end }
    return this.#begin(timestamp, arrival)
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
    if (stalled !== undefined && anchor - by <= stalled.anchor + SMALL_OVERLAP) {
      this.#move(anchor - stalled.anchor, Number.NEGATIVE_INFINITY)
      this.#buffer.lose(stalled.end, this.#buffer.base)
      this.#stalled = undefined
      epoch.settle()
      this.#reanchored--
      return
    }
    // What was taken cannot be moved, and what follows it would be cut.
    if (isTaken) return
    const room = epoch.roomFor(by)
    if (room >= LEAST_MOVE) this.#move(room, epoch.floor)
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
    const clock = this.#clock
    if (!clock.isOff(arrival - position, packet.arrivedAt)) return anchor
    const gap = position - this.#end
    const isPause = gap >= PAUSE && packet.missing === 0
    if (isPause || isQuiet(packet)) {
      const step = isPause ? clock.pauseStep(gap) : clock.quietStep()
      const target = epoch.offMiddle(position + step, this.#end)
      clock.moved(target - position)
      return epoch.turn(timestamp, target)
    }
    this.#stretch = clock.stretch(length, epoch.isNearMiddle(position))
    if (this.#stretch === 0) return anchor
    clock.moved(this.#stretch)
    epoch.turn(timestamp + length, this.#end + gap + length + this.#stretch)
    return anchor
  }
}
