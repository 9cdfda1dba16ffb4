import type { Clock } from '../../base/clock.ts'
import { TIMEOUT_MS } from './timers.ts'

export interface NonInviteServerEvents {
  readonly send: (text: string) => void
  readonly onRetransmitted: () => void
  readonly onEnded: () => void
}

/** The server's side of any request but INVITE and ACK (RFC 3261 §17.2.2). */
export class NonInviteServerTransaction {
  readonly #clock: Clock
  readonly #isReliable: boolean
  readonly #events: NonInviteServerEvents
  #state: 'trying' | 'proceeding' | 'completed' | 'ended' = 'trying'
  #lastText: string | undefined

  constructor(options: {
    readonly clock: Clock
    readonly isReliable: boolean
    readonly events: NonInviteServerEvents
  }) {
    this.#clock = options.clock
    this.#isReliable = options.isReliable
    this.#events = options.events
  }

  get isAnswered(): boolean {
    return this.#state === 'completed' || this.#state === 'ended'
  }

  /** Sends a response; false where a final one has gone before. */
  respond(status: number, text: string): boolean {
    if (this.isAnswered) return false
    this.#lastText = text
    this.#state = status >= 200 ? 'completed' : 'proceeding'
    if (status >= 200) this.#clock.after(this.#isReliable ? 0 : TIMEOUT_MS, () => this.end())
    this.#events.send(text)
    return true
  }

  /** The request came again. */
  absorb(): void {
    if (this.#lastText === undefined) return
    this.#events.onRetransmitted()
    this.#events.send(this.#lastText)
  }

  /** Ends at once and silently. Idempotent. */
  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#events.onEnded()
  }
}
