import type { AudioPacket } from './audio-packet.ts'
import { LegAnchor } from './leg-anchor.ts'
import { LegBuffer, type OnLost } from './leg-buffer.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'
import type { Density } from './sample-density.ts'
import { ToneFilter } from './tone-filter.ts'

/** `late`: its place was taken already, or is too far ahead to be held. */
export type Placement = 'placed' | 'late' | 'duplicate'

/**
 * So much from before the timeline's zero is held, since a packet that is on its way at the answer begins before it: a
 * whole number of slots, and all of a packet of 120 ms.
 */
export const LEAD_IN_SAMPLES = 5 * SLOT_SAMPLES

/**
 * One leg of the timeline: places packets by RTP timestamp (`leg-anchor.ts` says where) and gives them back slot by
 * slot.
 *
 * Positions are those of `sample-clock.ts`. Nothing here allocates for a packet that is not lost.
 */
export class TimelineLeg {
  readonly #buffer: LegBuffer
  readonly #anchor: LegAnchor
  #latest = Number.POSITIVE_INFINITY
  #tones: ToneFilter | undefined

  /** Holds up to `ringSamples` ahead of what was taken: twelve seconds by default. */
  constructor(base: number, onLost: OnLost, ringSamples?: number) {
    this.#buffer = new LegBuffer(base, onLost, ringSamples)
    this.#anchor = new LegAnchor(this.#buffer)
  }

  /** The slot that was taken last; its samples are overwritten by the next. */
  get slot(): Int16Array {
    return this.#buffer.slot
  }

  /** The slot before it. */
  get slotBefore(): Int16Array {
    return this.#buffer.slotBefore
  }

  /** The Opus packet that the slot can be stored as; undefined where it has to be encoded. */
  get packet(): Uint8Array | undefined {
    return this.#tones === undefined ? this.#buffer.packet : undefined
  }

  /** Milliseconds of silence so far that stand for packets which did not come. */
  get concealedMs(): number {
    return this.#buffer.concealed / SAMPLES_PER_MS
  }

  /** Samples of the slot for each one at 8 kHz. */
  get density(): Density {
    return this.#buffer.density
  }

  /** How often the leg was anchored anew within one SSRC. */
  get reanchored(): number {
    return this.#anchor.reanchored
  }

  /** Position of the next slot to be taken. */
  get base(): number {
    return this.#buffer.base
  }

  /** One past the highest position that holds audio. */
  get end(): number {
    return this.#buffer.end
  }

  /** Where its audio begins; undefined where it began before the timeline's zero was known, or has not begun. */
  get start(): number | undefined {
    return this.#anchor.start
  }

  /** The timeline's zero. What was said before is forgotten, but for the lead-in. */
  startAt(zero: number): void {
    this.#anchor.startTimeline()
    this.discardBefore(zero - LEAD_IN_SAMPLES)
  }

  /** The call's end: packets that begin later are not placed any more. */
  endAt(position: number): void {
    this.#latest = position
    this.#anchor.endAt(position)
  }

  /** Drift within so many samples is left alone: for audio that is in step with another leg's as it comes. */
  allowDrift(slack: number): void {
    this.#anchor.allowDrift(slack)
  }

  /** The next packet comes from another source. */
  restart(): void {
    this.#anchor.restart()
  }

  place(packet: AudioPacket): Placement {
    const anchor = this.#anchor
    if (anchor.isStraggler(packet)) return this.#placeStraggler(packet)
    if (anchor.isRepeated(packet)) return 'duplicate'
    const buffer = this.#buffer
    const position = anchor.positionOf(packet)
    const length = packet.length + anchor.stretch
    const end = position + length
    if (position >= this.#latest) return 'late'
    if (end > buffer.limit) {
      buffer.giveUp(position, end)
      return 'late'
    }
    anchor.goOn(packet, end)
    buffer.miss(position, end)
    if (end <= buffer.base) return 'late'
    buffer.write(position, packet, length)
    this.#keep(position, packet)
    return 'placed'
  }

  /** Moves on by a slot, leaves its audio in `slot`, and returns its energy (sum of squares). */
  take(): number {
    this.#anchor.decideBefore(this.#buffer.base + SLOT_SAMPLES)
    const energy = this.#buffer.take()
    if (this.#tones?.isTone() !== true) return energy
    this.#buffer.slot.fill(0)
    return 0
  }

  /** From now on the tones of keys are taken out of its audio, or are not. */
  removeTones(isWanted: boolean): void {
    if (isWanted) this.#tones ??= new ToneFilter(this.#buffer)
    else this.#tones = undefined
  }

  /** Energy of the slot that starts so many samples after the next one to be taken. */
  energyAhead(samples: number): number {
    return this.#buffer.energyAhead(samples)
  }

  /** Forgets what is before a position. */
  discardBefore(position: number): void {
    this.#buffer.discardBefore(position)
  }

  #keep(position: number, { opus, delay }: AudioPacket): void {
    if (opus === undefined) return
    const start = position + delay
    for (let index = 0; index < opus.length; index++) {
      const packet = opus[index]
      if (packet !== undefined) this.#buffer.keep(start + index * SLOT_SAMPLES, packet)
    }
  }

  #placeStraggler(packet: AudioPacket): Placement {
    const buffer = this.#buffer
    const position = this.#anchor.positionOfStraggler(packet)
    const end = position + packet.length
    if (position >= this.#latest || end <= buffer.base || end > buffer.limit) return 'late'
    buffer.write(position, packet, packet.length)
    this.#keep(position, packet)
    this.#anchor.extendTo(packet, position)
    return 'placed'
  }
}
