/**
 * Extends numbers that wrap into numbers that do not: each is taken as the one nearest to the highest so far.
 *
 * Used for sequence numbers (16 bits) and timestamps (32 bits), which start anywhere and may wrap at once.
 */
export class Unwrapper {
  readonly #modulus: number
  #highest: number | undefined

  constructor(bits: 16 | 32) {
    this.#modulus = 2 ** bits
  }

  /** The extended number; it raises the highest where it is above it. */
  unwrap(wrapped: number): number {
    const highest = this.#highest
    if (highest === undefined) {
      this.#highest = wrapped
      return wrapped
    }
    const modulus = this.#modulus
    let step = (wrapped - highest) % modulus
    if (step < 0) step += modulus
    if (step >= modulus / 2) step -= modulus
    const extended = highest + step
    if (step > 0) this.#highest = extended
    return extended
  }

  /** Continues from here, after a jump that was recognised as one. */
  reset(wrapped: number): number {
    this.#highest = wrapped
    return wrapped
  }
}

const WINDOW = 1024

/**
 * Which sequence numbers of one SSRC have come (RFC 3550 appendix A.1): tells duplicates and counts what is missing.
 *
 * Remembers the last 1024 numbers; an older one counts as seen, since its audio could not be placed any more.
 */
export class ReceivedSequence {
  readonly #seen = new Uint8Array(WINDOW)
  #first: number | undefined
  #highest = 0
  #received = 0

  /** The highest extended number; 0 before the first. */
  get highest(): number {
    return this.#highest
  }

  /** Packets that came, without duplicates. */
  get received(): number {
    return this.#received
  }

  /** Packets that should have come by now. */
  get expected(): number {
    return this.#first === undefined ? 0 : this.#highest - this.#first + 1
  }

  /** Whether the number is known to have come. */
  has(sequence: number): boolean {
    return (
      sequence > this.#highest - WINDOW &&
      sequence <= this.#highest &&
      this.#seen[mod(sequence)] === 1
    )
  }

  /** Whether the number is new. Marks it as seen. */
  add(sequence: number): boolean {
    if (this.#first === undefined) {
      this.#first = sequence
      this.#highest = sequence
      this.#received = 1
      this.#seen[mod(sequence)] = 1
      return true
    }
    if (sequence > this.#highest) {
      this.#forget(this.#highest + 1, sequence)
      this.#highest = sequence
    } else {
      if (sequence <= this.#highest - WINDOW || this.#seen[mod(sequence)] === 1) return false
      // Packets that were reordered before the first one that came.
      if (sequence < this.#first) this.#first = sequence
    }
    this.#seen[mod(sequence)] = 1
    this.#received++
    return true
  }

  #forget(from: number, to: number): void {
    if (to - from >= WINDOW) {
      this.#seen.fill(0)
      return
    }
    for (let sequence = from; sequence <= to; sequence++) this.#seen[mod(sequence)] = 0
  }
}

/** Extended numbers go below zero where packets from before a wrap come after it. */
function mod(sequence: number): number {
  return sequence & (WINDOW - 1)
}
