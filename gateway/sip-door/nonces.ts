import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { BoundedMap } from './bounded-map.ts'

/** `stale` is one of ours whose time or count is over, `foreign` one that this server did not give to that source. */
export type NonceState = 'fresh' | 'stale' | 'foreign'

interface Use {
  readonly issuedAtMs: number
  count: number
}

const LIFETIME_MS = 300_000
const MOST_USED = 20_000
/** Milliseconds in 6 bytes, then random ones, then the authentication code. */
const TIME_BYTES = 6
const RANDOM_BYTES = 6
const CODE_BYTES = 18

/**
 * Nonces of challenges (RFC 7616 §3.3). They cost nothing until they are used: each says when and for whom it was
 * made, and proves it. Each count of a nonce is taken once, in rising order, so that nothing that was overheard works
 * a second time.
 */
export class Nonces {
  readonly #clock: Clock
  readonly #secret = randomBytes(32)
  /** The highest count that each nonce in use was used with. */
  readonly #uses = new BoundedMap<Use>(MOST_USED, ({ issuedAtMs }) => {
    // How often such a one was used is no longer known, so none that is as old can be taken.
    this.#forgottenUpToMs = Math.max(this.#forgottenUpToMs, issuedAtMs)
  })
  #forgottenUpToMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  issue(source: string): string {
    const head = Buffer.alloc(TIME_BYTES + RANDOM_BYTES)
    head.writeUIntBE(Math.floor(this.#clock.monotonicMs()), 0, TIME_BYTES)
    randomBytes(RANDOM_BYTES).copy(head, TIME_BYTES)
    return Buffer.concat([head, this.#code(head, source)]).toString('base64url')
  }

  /** Whether a request with that nonce and count can be taken, as far as the nonce goes. Changes nothing. */
  stateOf(nonce: string, count: number, source: string): NonceState {
    const issuedAtMs = this.#issuedAt(nonce, source)
    if (issuedAtMs === undefined) return 'foreign'
    const ageMs = this.#clock.monotonicMs() - issuedAtMs
    if (ageMs > LIFETIME_MS || issuedAtMs <= this.#forgottenUpToMs) return 'stale'
    return count > (this.#uses.get(nonce)?.count ?? 0) ? 'fresh' : 'stale'
  }

  /** The credentials were right: that count and those below it are used up. */
  use(nonce: string, count: number, source: string): void {
    const use = this.#uses.get(nonce)
    if (use !== undefined) use.count = count
    else this.#uses.set(nonce, { issuedAtMs: this.#issuedAt(nonce, source) ?? 0, count })
  }

  #issuedAt(nonce: string, source: string): number | undefined {
    const bytes = Buffer.from(nonce, 'base64url')
    // A second spelling of the same bytes would have a count of its own.
    if (bytes.length !== TIME_BYTES + RANDOM_BYTES + CODE_BYTES) return undefined
    if (bytes.toString('base64url') !== nonce) return undefined
    const head = bytes.subarray(0, TIME_BYTES + RANDOM_BYTES)
    const isOurs = timingSafeEqual(bytes.subarray(head.length), this.#code(head, source))
    return isOurs ? head.readUIntBE(0, TIME_BYTES) : undefined
  }

  #code(head: Buffer, source: string): Buffer {
    const hmac = createHmac('sha256', this.#secret).update(head).update(source)
    return hmac.digest().subarray(0, CODE_BYTES)
  }
}
