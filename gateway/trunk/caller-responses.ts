import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { TrunkMedia } from '../media/trunk-media.ts'
import type { SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { carriedFrom } from './leg-headers.ts'

/** How an INVITE is refused. */
export interface Refusal {
  readonly status: number
  /** Empty where the status speaks for itself. */
  readonly reason: string
  readonly headers: SipHeaders
}

/** What the caller is told before the call is answered. */
export class CallerResponses {
  readonly #request: SipRequest
  readonly #response: SipResponse
  readonly #log: Log

  constructor(options: {
    readonly request: SipRequest
    readonly response: SipResponse
    readonly log: Log
  }) {
    this.#request = options.request
    this.#response = options.response
    this.#log = options.log
  }

  /** Early media of our own. */
  announce(sdp: string): void {
    this.#provisional(183, {}, sdp)
  }

  /** Ringing or early media of a target's (RFC 3960). */
  async passProvisional(provisional: SipResponse, media: TrunkMedia): Promise<void> {
    try {
      const sdp = provisional.body ? await media.answerFromPlatform(provisional.body) : undefined
      this.#provisional(provisional.status, carriedFrom(provisional), sdp)
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'early media could not be joined')
    }
  }

  refuse({ status, reason, headers }: Refusal): void {
    if (!this.#response.finalResponseSent) this.#response.send(status, reason, { headers })
  }

  #provisional(status: number, headers: SipHeaders, sdp: string | undefined): void {
    if (this.#response.finalResponseSent) return
    // Reliably only where the caller insists; the SIP server numbers it and takes the PRACK (RFC 3262 §3).
    const isReliable = /\b100rel\b/i.test(this.#request.get('Require') ?? '')
    this.#response.send(status, '', {
      headers: {
        ...headers,
        ...(isReliable ? { Require: '100rel' } : {}),
        ...(sdp === undefined ? {} : { 'Content-Type': 'application/sdp' }),
      },
      ...(sdp === undefined ? {} : { body: sdp }),
    })
  }
}
