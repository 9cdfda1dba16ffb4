import type { PauseCodes } from './recording-plan.ts'

/** What a code asks for. */
export type PauseCode = keyof PauseCodes

/** Keys further apart do not belong to one code. */
const LONGEST_BETWEEN_KEYS_MS = 4000

/**
 * Reads codes out of the keys that a party types. Keeps no more of them than a code is long, and forgets them with the
 * code or after a while.
 */
export class PauseCodeReader {
  #typed = ''
  #pressedAtMs = Number.NEGATIVE_INFINITY

  /** The code that is complete with this key; the codes are those that count now. */
  press(
    key: string,
    { atMs, codes }: { readonly atMs: number; readonly codes: PauseCodes },
  ): PauseCode | undefined {
    const isLate = atMs - this.#pressedAtMs > LONGEST_BETWEEN_KEYS_MS
    const longest = Math.max(codes.pause.length, codes.resume.length)
    this.#typed = `${isLate ? '' : this.#typed}${key}`.slice(-longest)
    this.#pressedAtMs = atMs
    const code = (['pause', 'resume'] as const).find((name) => this.#typed.endsWith(codes[name]))
    if (code !== undefined) this.#typed = ''
    return code
  }
}
