import type { FramedPayload } from './filter-kinds.ts'

/** One payload on its way through a decoder process: what it is fed, and what has come of it. */
export class DecodeJob {
  /** The frames that hold speech, in a row. */
  readonly bytes: Uint8Array
  /** Samples of all frames; those of silence stay 0. */
  readonly samples: Int16Array
  state: 'waiting' | 'done' | 'failed' = 'waiting'
  /** How often it was handed to a process, and when last; monotonic milliseconds. */
  feeds = 0
  fedAtMs = 0
  readonly #speechFrames: readonly number[]
  readonly #frameSamples: number
  #got = 0

  constructor({ kind, frames }: FramedPayload) {
    this.#frameSamples = kind.frameSamples * kind.density
    this.#speechFrames = frames.flatMap((frame, index) => (frame === undefined ? [] : index))
    this.bytes = Buffer.concat(frames.filter((frame) => frame !== undefined))
    this.samples = new Int16Array(frames.length * this.#frameSamples)
  }

  /** Is fed again, to a process that knows nothing of it. */
  begin(nowMs: number): void {
    this.feeds++
    this.fedAtMs = nowMs
    this.#got = 0
  }

  /** Takes samples out of whole ones from an index on, as many as it still lacks; returns how many. */
  take(samples: Int16Array, from: number): number {
    const frameSamples = this.#frameSamples
    const wanted = this.#speechFrames.length * frameSamples
    const count = Math.min(samples.length - from, wanted - this.#got)
    for (let index = 0; index < count; index++) {
      const at = this.#got + index
      const frame = this.#speechFrames[Math.floor(at / frameSamples)] ?? 0
      this.samples[frame * frameSamples + (at % frameSamples)] = samples[from + index] ?? 0
    }
    this.#got += count
    if (this.#got === wanted) this.state = 'done'
    return count
  }
}
