import { soundsLikeKey } from './dtmf-tones.ts'
import { SLOT_SAMPLES } from './sample-clock.ts'

/** Windows begin every half slot. */
const HALF = SLOT_SAMPLES / 2
/** From four windows before a slot's own to the last that is looked at: in front of the slot after the next. */
const WINDOWS = 9

/** Where audio is looked at before its turn. */
export interface AudioAhead {
  /** Reads samples at 8 kHz that begin so many after the next slot to be taken; what is missing is 0. */
  peek(samplesAhead: number, window: Int16Array): void
}

/**
 * Takes the tones of keys out of a leg (DTMF that a telephone plays into its own audio): a slot is silenced where a
 * tone of at least 30 ms lies in it or within 20 ms of it, so that nothing of its beginning or end is left.
 *
 * Sees two slots ahead of the one that is taken, which are held back anyway. Sound under a tone goes with it, and now
 * and then a word that sounds like one.
 */
export class ToneFilter {
  readonly #audio: AudioAhead
  readonly #ahead = new Int16Array(SLOT_SAMPLES + HALF)
  readonly #windows = [this.#ahead.subarray(0, SLOT_SAMPLES), this.#ahead.subarray(HALF)]
  #isKey: readonly boolean[] = new Array<boolean>(WINDOWS).fill(false)

  constructor(audio: AudioAhead) {
    this.#audio = audio
  }

  /** Whether the slot that was just taken is to be silenced. Asked for every slot, in order. */
  isTone(): boolean {
    this.#audio.peek(HALF, this.#ahead)
    this.#isKey = [...this.#isKey.slice(2), ...this.#windows.map(soundsLikeKey)]
    return this.#isKey.some((isKey, at) => isKey && this.#isKey[at + 1] === true)
  }
}
