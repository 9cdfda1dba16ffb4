import type { Clock, Timer } from '../../base/clock.ts'
import type { Heard } from './heard-response.ts'
import { T1_MS, TIMEOUT_MS, TIMER_D_MS } from './timers.ts'

export interface InviteClientEvents<Response extends Heard> {
  readonly send: (text: string) => void
  readonly onRetransmitted: () => void
  /** Each provisional, the first final response, and every 2xx. */
  readonly onResponse: (response: Response) => void
  /** No final response came in time: nothing at all within 64·T1, or none within 64·T1 of a CANCEL. */
  readonly onTimedOut: () => void
  readonly onEnded: () => void
  /** The ACK for a failure (RFC 3261 §17.1.1.3), as text. */
  readonly ackFor: (failure: Response) => string
}

type State = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'ended'

/** The client's side of an INVITE (RFC 3261 §17.1.1 as amended by RFC 6026 §7.2). Sends it when made. */
export class InviteClientTransaction<Response extends Heard> {
  readonly #clock: Clock
  readonly #isReliable: boolean
  readonly #events: InviteClientEvents<Response>
  readonly #text: string
  #state: State = 'calling'
  #retransmission: Timer | undefined
  #timeout: Timer | undefined
  #ackText: string | undefined
  #isCancelled = false
  /** Begins the CANCEL that waits for a provisional response. */
  #heldCancel: (() => void) | undefined

  constructor(options: {
    readonly clock: Clock
    readonly isReliable: boolean
    readonly text: string
    readonly events: InviteClientEvents<Response>
  }) {
    this.#clock = options.clock
    this.#isReliable = options.isReliable
    this.#text = options.text
    this.#events = options.events
  }

  start(): void {
    this.#timeout = this.#clock.after(TIMEOUT_MS, () => this.#giveUp())
    if (!this.#isReliable) this.#retransmitAfter(T1_MS)
    this.#events.send(this.#text)
  }

  /** Whether nothing at all has come back yet. */
  get isUnheard(): boolean {
    return this.#state === 'calling'
  }

  get isPending(): boolean {
    return this.#state === 'calling' || this.#state === 'proceeding'
  }

  /**
   * Sends CANCEL, or holds it until a provisional response has come (RFC 3261 §9.1). False where the INVITE has
   * its final response already. `start` begins the CANCEL's own transaction.
   */
  cancel(start: () => void): boolean {
    if (!this.isPending || this.#isCancelled) return false
    this.#isCancelled = true
    if (this.#state === 'proceeding') this.#startCancel(start)
    else this.#heldCancel = start
    return true
  }

  receive(response: Response): void {
    switch (this.#state) {
      case 'calling':
      case 'proceeding':
        this.#advance(response)
        return
      case 'completed':
        if (response.status >= 300 && this.#ackText !== undefined) {
          this.#events.onRetransmitted()
          this.#events.send(this.#ackText)
        }
        return
      case 'accepted':
        if (response.status >= 200 && response.status < 300) this.#events.onResponse(response)
        return
      case 'ended':
        return
    }
  }

  /** Ends at once and silently. Idempotent. */
  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#retransmission?.cancel()
    this.#timeout?.cancel()
    this.#events.onEnded()
  }

  #advance(response: Response): void {
    this.#retransmission?.cancel()
    if (response.status < 200) {
      if (this.#state === 'calling') this.#timeout?.cancel()
      this.#state = 'proceeding'
      const held = this.#heldCancel
      this.#heldCancel = undefined
      if (held !== undefined) this.#startCancel(held)
    } else if (response.status < 300) {
      this.#state = 'accepted'
      this.#endAfter(TIMEOUT_MS)
    } else {
      this.#state = 'completed'
      this.#ackText = this.#events.ackFor(response)
      this.#events.send(this.#ackText)
      this.#endAfter(this.#isReliable ? 0 : TIMER_D_MS)
    }
    this.#events.onResponse(response)
  }

  #startCancel(start: () => void): void {
    this.#timeout?.cancel()
    this.#timeout = this.#clock.after(TIMEOUT_MS, () => this.#giveUp())
    start()
  }

  #giveUp(): void {
    if (!this.isPending) return
    this.#events.onTimedOut()
    this.end()
  }

  #endAfter(delayMs: number): void {
    this.#timeout?.cancel()
    this.#timeout = this.#clock.after(delayMs, () => this.end())
  }

  #retransmitAfter(delayMs: number): void {
    this.#retransmission = this.#clock.after(delayMs, () => {
      this.#events.onRetransmitted()
      this.#events.send(this.#text)
      this.#retransmitAfter(2 * delayMs)
    })
  }
}
