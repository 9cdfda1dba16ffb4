import type { Clock, Timer } from '../../base/clock.ts'
import type { Heard } from './heard-response.ts'
import { T1_MS, T2_MS, T4_MS, TIMEOUT_MS } from './timers.ts'

export interface NonInviteClientEvents<Response extends Heard> {
  readonly send: (text: string) => void
  readonly onRetransmitted: () => void
  /** Each provisional and the first final response. */
  readonly onResponse: (response: Response) => void
  /** No final response within 64·T1. */
  readonly onTimedOut: () => void
  readonly onEnded: () => void
}

/** The client's side of any request but INVITE and ACK (RFC 3261 §17.1.2). */
export class NonInviteClientTransaction<Response extends Heard> {
  readonly #clock: Clock
  readonly #isReliable: boolean
  readonly #events: NonInviteClientEvents<Response>
  readonly #text: string
  #state: 'trying' | 'proceeding' | 'completed' | 'ended' = 'trying'
  #retransmission: Timer | undefined
  #timeout: Timer | undefined

  constructor(options: {
    readonly clock: Clock
    readonly isReliable: boolean
    readonly text: string
    readonly events: NonInviteClientEvents<Response>
  }) {
    this.#clock = options.clock
    this.#isReliable = options.isReliable
    this.#text = options.text
    this.#events = options.events
  }

  start(): void {
    this.#timeout = this.#clock.after(TIMEOUT_MS, () => {
      this.#events.onTimedOut()
      this.end()
    })
    if (!this.#isReliable) this.#retransmitAfter(T1_MS)
    this.#events.send(this.#text)
  }

  /** Whether nothing at all has come back yet. */
  get isUnheard(): boolean {
    return this.#state === 'trying'
  }

  get isPending(): boolean {
    return this.#state === 'trying' || this.#state === 'proceeding'
  }

  receive(response: Response): void {
    if (!this.isPending) return
    if (response.status < 200) {
      this.#state = 'proceeding'
    } else {
      this.#state = 'completed'
      this.#retransmission?.cancel()
      this.#timeout?.cancel()
      this.#timeout = this.#clock.after(this.#isReliable ? 0 : T4_MS, () => this.end())
    }
    this.#events.onResponse(response)
  }

  /** Ends at once and silently. Idempotent. */
  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#retransmission?.cancel()
    this.#timeout?.cancel()
    this.#events.onEnded()
  }

  #retransmitAfter(delayMs: number): void {
    this.#retransmission = this.#clock.after(delayMs, () => {
      this.#events.onRetransmitted()
      this.#events.send(this.#text)
      // Once a provisional response has come, timer E stays at T2 (RFC 3261 §17.1.2.2).
      const nextMs = this.#state === 'proceeding' ? T2_MS : Math.min(2 * delayMs, T2_MS)
      this.#retransmitAfter(nextMs)
    })
  }
}
