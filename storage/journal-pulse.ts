/** A thread loads so long before it is taken for one that hangs. */
const LOAD_MS = 60_000

/**
 * Whether the journal's thread answers. Time is counted by looks and not by the clock: a thread that is held up itself
 * has heard nothing and concludes nothing.
 */
export class JournalPulse {
  readonly #hungAfterMs: number
  /** Whether a thread has ever said anything: until then it loads. */
  #isLoaded = false
  #isOpen = false
  /** For how long nothing has come. */
  #quietMs = 0
  /** For how long no journal has been open. */
  #shutMs = 0
  /** For how long the disk has not answered, as the thread tells. */
  #diskWaitMs = 0

  constructor(hungAfterMs: number) {
    this.#hungAfterMs = hungAfterMs
  }

  /** Whether the disk does not answer, or nobody has the journal. */
  get isHung(): boolean {
    return this.hungMs >= (this.#isLoaded ? this.#hungAfterMs : LOAD_MS)
  }

  get hungMs(): number {
    return Math.max(this.#quietMs, this.#shutMs, this.#diskWaitMs)
  }

  /** The thread has said something. */
  heard(): void {
    if (!this.#isLoaded) this.#shutMs = 0
    this.#isLoaded = true
    this.#quietMs = 0
  }

  reported(diskWaitMs: number): void {
    this.#diskWaitMs = diskWaitMs
  }

  opened(): void {
    this.#isOpen = true
    this.#shutMs = 0
  }

  died(): void {
    this.#isOpen = false
    this.#diskWaitMs = 0
  }

  /** So much time has passed. */
  passed(milliseconds: number): void {
    this.#quietMs += milliseconds
    if (!this.#isOpen) this.#shutMs += milliseconds
  }
}
