import type { Clock, Timer } from '../../base/clock.ts'
import { LoadMeter } from '../../base/load-meter.ts'

export interface SignallingWatchOptions {
  readonly clock: Clock
  /** Load, 0 to 1, above which the thread has too much to do. */
  readonly mostLoad: number
  /** The load since it was asked last; by default that of this thread. */
  readonly takeLoad?: () => number
}

const LOOK_EVERY_MS = 250
/** A look that comes so late says that the thread was held up: requests waited as long. */
const LATE_MS = 400
/** A thread that works all the time and is not late has just enough to do. */
const LATE_AT_WORK_MS = 60
/** A second of looks: what is shorter may be chance. */
const LOOKS = 4
/** What is counted as relief, so that calls are not taken and refused by turns. */
const RELIEF = 0.85

/** How much the thread that signals has to do. */
export class SignallingWatch {
  readonly #options: SignallingWatchOptions
  readonly #takeLoad: () => number
  #timer: Timer | undefined
  #lookedAtMs = 0
  #load = 0
  #lateMs = 0
  #badLooks = 0
  #goodLooks = 0
  #isBusy = false

  constructor(options: SignallingWatchOptions) {
    this.#options = options
    const meter = new LoadMeter()
    this.#takeLoad = options.takeLoad ?? (() => meter.take())
  }

  /** Idempotent. */
  start(): void {
    const { clock } = this.#options
    this.#lookedAtMs = clock.monotonicMs()
    this.#takeLoad()
    this.#timer ??= clock.every(LOOK_EVERY_MS, () => this.#look())
  }

  close(): void {
    this.#timer?.cancel()
  }

  /** At the last look, 0 to 1. */
  get load(): number {
    return this.#load
  }

  /** How late the last look came, milliseconds. */
  get lateMs(): number {
    return this.#lateMs
  }

  /** Whether it has too much to do to take more. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  #look(): void {
    const { clock, mostLoad } = this.#options
    const now = clock.monotonicMs()
    this.#lateMs = Math.max(0, now - this.#lookedAtMs - LOOK_EVERY_MS)
    this.#lookedAtMs = now
    this.#load = this.#takeLoad()
    const isOverworked = this.#load > mostLoad && this.#lateMs > LATE_AT_WORK_MS
    const isBad = isOverworked || this.#lateMs > LATE_MS
    const isGood = this.#load < mostLoad * RELIEF && this.#lateMs < LATE_MS / 2
    this.#badLooks = isBad ? this.#badLooks + 1 : 0
    this.#goodLooks = isGood ? this.#goodLooks + 1 : 0
    if (this.#badLooks >= LOOKS) this.#isBusy = true
    if (this.#goodLooks >= LOOKS) this.#isBusy = false
  }
}
