/** A pong comes within so long, or the peer is gone (RFC 5626 §4.4.1). */
const PONG_MS = 10_000
const ONLY_LINE_ENDS = /^[\r\n]+$/

/**
 * Pings of a connection that this side opened (RFC 5626 §3.5.1): a double CRLF, which a peer that knows it answers with
 * a single one. It keeps NATs and firewalls open towards all others, so only a peer that has answered once is expected
 * to go on doing so.
 */
export class StreamPings {
  readonly #everyMs: number
  #isAnswering = false
  #sentAtMs: number | undefined
  #nextAtMs: number

  /** 0 pings never. */
  constructor(everyMs: number, nowMs: number) {
    this.#everyMs = everyMs
    this.#nextAtMs = nowMs + everyMs
  }

  /** Anything that comes shows that the peer is there. */
  heard(chunk: Uint8Array, nowMs: number): void {
    const isPong = chunk.length <= 4 && ONLY_LINE_ENDS.test(String.fromCharCode(...chunk))
    if (isPong && this.#sentAtMs !== undefined) this.#isAnswering = true
    this.#sentAtMs = undefined
    this.#nextAtMs = nowMs + this.#everyMs
  }

  due(nowMs: number): 'ping' | 'unanswered' | 'nothing' {
    if (this.#everyMs === 0) return 'nothing'
    const isAwaited = this.#isAnswering && this.#sentAtMs !== undefined
    if (isAwaited && nowMs - (this.#sentAtMs ?? nowMs) > PONG_MS) return 'unanswered'
    if (isAwaited || nowMs < this.#nextAtMs) return 'nothing'
    this.#sentAtMs = nowMs
    this.#nextAtMs = nowMs + this.#everyMs
    return 'ping'
  }
}
