import {
  createVoiceEncoder,
  forgetVoice,
  setComplexity,
  type VoiceEncoder,
  type VoiceEncoderOptions,
} from './opus-encoder.ts'
import type { Density } from './sample-density.ts'

/** So many of a density wait at most: what more there are goes with its memory. */
const MOST_IDLE = 64

/**
 * An engine's encoders. A channel has one only while something is said on it, which of the two parties of a
 * conversation is mostly one: so a call needs one of these 60 KB instead of two.
 */
export class VoiceEncoders {
  /** Its complexity may change at any time. */
  readonly #options: VoiceEncoderOptions
  readonly #idle = new Map<Density, VoiceEncoder[]>()

  constructor(options: VoiceEncoderOptions) {
    this.#options = options
  }

  /** What they are to be set to now. */
  get complexity(): number {
    return this.#options.complexity
  }

  /** One that knows nothing of whom it encoded before. */
  take(density: Density): VoiceEncoder {
    const encoder = this.#idle.get(density)?.pop() ?? createVoiceEncoder(this.#options, density)
    setComplexity(encoder, this.complexity)
    return encoder
  }

  /** The encoder of this density is not used any more by whoever took it. */
  give(encoder: VoiceEncoder, density: Density): void {
    const idle = this.#idle.get(density) ?? []
    this.#idle.set(density, idle)
    if (idle.length >= MOST_IDLE) return
    forgetVoice(encoder)
    idle.push(encoder)
  }
}
