import type { Clock } from '../../base/clock.ts'
import { BoundedMap } from './bounded-map.ts'

interface Bucket {
  tokens: number
  filledAtMs: number
}

/** Sources that are remembered; a forgotten one starts with all that it may have. */
const MOST_SOURCES = 10_000
/** How many seconds' worth may come at once. */
const BURST_S = 2

/** So many a second for each source, twice as many at once after a pause. */
export class RequestRate {
  readonly #perS: number
  readonly #clock: Clock
  readonly #buckets = new BoundedMap<Bucket>(MOST_SOURCES)

  constructor(perS: number, clock: Clock) {
    this.#perS = perS
    this.#clock = clock
  }

  /** Takes one; false where there is none left. */
  take(source: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    const most = this.#perS * BURST_S
    const bucket = this.#buckets.get(source)
    if (bucket === undefined) {
      this.#buckets.set(source, { tokens: most - 1, filledAtMs: nowMs })
      return most >= 1
    }
    const gained = ((nowMs - bucket.filledAtMs) / 1000) * this.#perS
    bucket.tokens = Math.min(most, bucket.tokens + gained)
    bucket.filledAtMs = nowMs
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }
}
