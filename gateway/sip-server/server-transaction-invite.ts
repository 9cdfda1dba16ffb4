import type { Clock, Timer } from '../../base/clock.ts'
import { T1_MS, T2_MS, T4_MS, TIMEOUT_MS } from './timers.ts'

export interface InviteServerEvents {
  /** Puts text on the wire. */
  readonly send: (text: string) => void
  /** A response went out once more, by timer or because the request came again. */
  readonly onRetransmitted: () => void
  /** No ACK came for a 2xx within 64·T1. */
  readonly onAckMissing: () => void
  /** Over; nothing more is sent or called. */
  readonly onEnded: () => void
}

type State = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'ended'

/**
 * The server's side of an INVITE (RFC 3261 §17.2.1 as amended by RFC 6026 §7.1).
 *
 * A 2xx is retransmitted here, over datagrams, until `acknowledge`: T1, then twice as long each time up to T2
 * (RFC 3261 §13.3.1.4).
 */
export class InviteServerTransaction {
  readonly #clock: Clock
  readonly #isReliable: boolean
  readonly #events: InviteServerEvents
  #state: State = 'proceeding'
  #lastText: string | undefined
  #isAcknowledged = false
  #retransmission: Timer | undefined
  #ending: Timer | undefined

  constructor(options: {
    readonly clock: Clock
    readonly isReliable: boolean
    readonly events: InviteServerEvents
  }) {
    this.#clock = options.clock
    this.#isReliable = options.isReliable
    this.#events = options.events
  }

  get isAnswered(): boolean {
    return this.#state !== 'proceeding'
  }

  /** Whether a 2xx has gone. */
  get isSuccessful(): boolean {
    return this.#state === 'accepted'
  }

  /** Sends a response; false where a final one has gone before. */
  respond(status: number, text: string): boolean {
    if (this.#state !== 'proceeding') return false
    this.#lastText = text
    if (status >= 200) {
      this.#state = status < 300 ? 'accepted' : 'completed'
      this.#ending = this.#clock.after(TIMEOUT_MS, () => this.#giveUp())
      if (!this.#isReliable) this.#retransmitAfter(T1_MS)
    }
    this.#events.send(text)
    return true
  }

  /** The INVITE came again. */
  absorb(): void {
    if (this.#lastText === undefined) return
    if (this.#state === 'proceeding' || this.#state === 'completed') this.#resend(this.#lastText)
  }

  /** The ACK for a 2xx. True for the first one. */
  acknowledge(): boolean {
    if (this.#state !== 'accepted' || this.#isAcknowledged) return false
    this.#isAcknowledged = true
    this.#retransmission?.cancel()
    return true
  }

  /** The ACK for a failure; further ones are absorbed for T4. */
  confirm(): void {
    if (this.#state !== 'completed') return
    this.#state = 'confirmed'
    this.#retransmission?.cancel()
    this.#ending?.cancel()
    this.#ending = this.#clock.after(this.#isReliable ? 0 : T4_MS, () => this.end())
  }

  /** Ends at once and silently. Idempotent. */
  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#retransmission?.cancel()
    this.#ending?.cancel()
    this.#events.onEnded()
  }

  #giveUp(): void {
    if (this.#state === 'accepted' && !this.#isAcknowledged) this.#events.onAckMissing()
    this.end()
  }

  #retransmitAfter(delayMs: number): void {
    this.#retransmission = this.#clock.after(delayMs, () => {
      if (this.#lastText === undefined) return
      this.#resend(this.#lastText)
      this.#retransmitAfter(Math.min(2 * delayMs, T2_MS))
    })
  }

  #resend(text: string): void {
    this.#events.onRetransmitted()
    this.#events.send(text)
  }
}
