import { setComplexity, type VoiceEncoder } from './opus-encoder.ts'
import { OPUS_PRE_SKIP_48K } from './opus-headers.ts'
import { levelDb, QuietDetector } from './quiet-detector.ts'
import { SAMPLE_RATE, SLOT_MS, SLOT_SAMPLES } from './sample-clock.ts'
import { type Density, raiseDensity } from './sample-density.ts'
import type { TimelineLeg } from './timeline-leg.ts'
import type { VoiceEncoders } from './voice-encoders.ts'

/** A leg together with the energy of the slot that was taken from it last. */
export interface TakenLeg {
  readonly leg: TimelineLeg
  energy: number
}

export interface ChannelOptions {
  readonly encoders: VoiceEncoders
  readonly skipsQuiet: boolean
  readonly quietDb: number
  /** The packet that stands for a slot without sound. */
  readonly silence: Uint8Array
}

/** Whether a slot is muted, as a whole or by half, or stands beside one that is. */
export type SlotMuting = 'none' | 'near' | 'whole'

const METER_SLOTS = 5
/** Samples by which the encoder's packets begin before their slots. */
const LOOKAHEAD = (OPUS_PRE_SKIP_48K * SAMPLE_RATE) / 48_000

/**
 * One channel of the file: sums the legs that belong to it (commonly one) and encodes the sum, or says silence in a
 * packet made once where it is quiet. A leg that is alone and sends Opus is stored as it came.
 *
 * While it is quiet the channel has no encoder. What comes then begins with the slot before it, of near silence, as the
 * decoder does, whose own state faded meanwhile.
 */
export class Channel {
  readonly #options: ChannelOptions
  readonly #quiet: QuietDetector
  #samples = new Int16Array(SLOT_SAMPLES)
  #bytes = Buffer.from(this.#samples.buffer)
  readonly #meter = new Float64Array(METER_SLOTS)
  readonly #energyAhead = (slots: number) => this.#ahead(slots)
  #legs: readonly TakenLeg[] = []
  /** There is one where the slot before was encoded, whose end comes in the next packet. */
  #encoder: VoiceEncoder | undefined
  /** What the encoder is set to. */
  #complexity = 0
  /** What the encoder was made for. */
  #density: Density = 1
  #slots = 0
  #loudSlots = 0

  constructor(options: ChannelOptions) {
    this.#options = options
    this.#quiet = new QuietDetector(options.quietDb)
  }

  get legs(): readonly TakenLeg[] {
    return this.#legs
  }

  /** The legs heard from now on. */
  setLegs(legs: readonly TakenLeg[]): void {
    this.#legs = legs
  }

  /** Time above the quiet level so far. */
  get audibleMs(): number {
    return this.#loudSlots * SLOT_MS
  }

  /** Level of the last 100 ms in dBFS, -100 when silent. */
  get levelDb(): number {
    return levelDb(
      this.#meter.reduce((sum, energy) => sum + energy, 0),
      METER_SLOTS,
    )
  }

  /**
   * The Opus packet of the slot that was just taken from the legs; valid until the next call. Of a slot that is muted
   * as a whole nothing comes near the encoder, and the packet is silence. Where a pause is near, what is stored is made
   * of samples, which end and begin with it.
   */
  encode(muted: SlotMuting = 'none'): Uint8Array {
    if (muted === 'whole') return this.#encodeMuted()
    const energy = this.#mix()
    this.#meter[this.#slots++ % METER_SLOTS] = energy
    if (this.#quiet.isLoud(energy)) this.#loudSlots++
    const isSkippable = this.#quiet.isSkippable(energy, this.#energyAhead)
    const asItIs =
      muted === 'none' && this.#legs.length === 1 ? this.#legs[0]?.leg.packet : undefined
    if (asItIs !== undefined) {
      // What the encoder knows is not what is heard before its next packet.
      this.rest()
      return asItIs
    }
    if (this.#options.skipsQuiet && isSkippable) {
      this.rest()
      return this.#options.silence
    }
    this.#encoder ??= this.#begin()
    this.#tryAsHardAsIsAsked(this.#encoder)
    return this.#encoder.encode(this.#bytes)
  }

  /** Nothing is encoded for now, or any more. */
  rest(): void {
    const encoder = this.#encoder
    if (encoder === undefined) return
    this.#encoder = undefined
    this.#options.encoders.give(encoder, this.#density)
  }

  /** An encoder that has heard the slot before: what it says of this one begins 6.5 ms before it. */
  #begin(): VoiceEncoder {
    const { encoders } = this.#options
    const encoder = encoders.take(this.#density)
    this.#complexity = encoders.complexity
    const [only, ...others] = this.#legs
    if (only === undefined || others.length > 0) return encoder
    encoder.encode(Buffer.from(only.leg.slotBefore.slice().buffer))
    return encoder
  }

  #tryAsHardAsIsAsked(encoder: VoiceEncoder): void {
    const { complexity } = this.#options.encoders
    if (complexity === this.#complexity) return
    setComplexity(encoder, complexity)
    this.#complexity = complexity
  }

  #encodeMuted(): Uint8Array {
    this.#meter[this.#slots++ % METER_SLOTS] = 0
    this.#quiet.pass()
    const encoder = this.#encoder
    const holdsTail = this.#samples.subarray(-LOOKAHEAD * this.#density).some(Boolean)
    if (encoder === undefined || !holdsTail) {
      this.rest()
      return this.#options.silence
    }
    this.#samples.fill(0)
    return encoder.encode(this.#bytes)
  }

  #mix(): number {
    const first = this.#legs[0]
    if (first === undefined) {
      this.#samples.fill(0)
      return 0
    }
    this.#tune(this.#legs.length === 1 ? first.leg.density : densest(this.#legs))
    const samples = this.#samples
    setAtDensity(samples, first.leg.slot)
    if (this.#legs.length === 1) return first.energy
    for (const { leg } of this.#legs) {
      if (leg !== first.leg) addSaturated(samples, leg.slot)
    }
    let energy = 0
    for (const sample of samples) energy += sample * sample
    return energy / this.#density
  }

  /** What is encoded from now on is as dense as the densest leg. */
  #tune(density: Density): void {
    if (density === this.#density) return
    this.rest()
    this.#density = density
    this.#samples = new Int16Array(SLOT_SAMPLES * density)
    this.#bytes = Buffer.from(this.#samples.buffer)
  }

  #ahead(slots: number): number {
    let energy = 0
    // The legs have moved past the current slot: the next one starts at their base.
    for (const { leg } of this.#legs) energy += leg.energyAhead((slots - 1) * SLOT_SAMPLES)
    return energy
  }
}

function densest(legs: readonly TakenLeg[]): Density {
  const densities = legs.map(({ leg }) => leg.density)
  return densities.includes(6) ? 6 : densities.includes(2) ? 2 : 1
}

/** Copies a slot, raised to the density of where it is copied to. */
function setAtDensity(to: Int16Array, slot: Int16Array): void {
  if (slot.length === to.length) to.set(slot)
  else raiseDensity(slot, to.length / slot.length, to)
}

function addSaturated(sum: Int16Array, addend: Int16Array): void {
  const raised = addend.length === sum.length ? addend : new Int16Array(sum.length)
  if (raised !== addend) setAtDensity(raised, addend)
  for (let index = 0; index < sum.length; index++) {
    const value = (sum[index] ?? 0) + (raised[index] ?? 0)
    sum[index] = Math.max(-32_768, Math.min(32_767, value))
  }
}
