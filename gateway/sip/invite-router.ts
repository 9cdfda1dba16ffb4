import type { Log } from '../../base/log.ts'
import { objectionToUri } from './refusal.ts'
import type { SipRequest, SipResponse } from './sip-surface.ts'

/** Something that INVITEs may be for: recording sessions, trunk calls. */
export interface InviteTaker {
  /** Answers the INVITE, now or later, and tells true; or leaves it alone and tells false. Never throws. */
  take(request: SipRequest, response: SipResponse): boolean
}

/**
 * Gives each INVITE to the first that takes it. What nobody takes is answered 404 and leaves no contact: it is no
 * call of ours, and scanners send such by the thousand.
 */
export class InviteRouter {
  readonly #takers: readonly InviteTaker[]
  readonly #log: Log
  readonly #onUnrouted: () => void
  readonly #mayCall: (address: string) => boolean
  /** INVITEs that came before `open`, in their order; undefined from then on. */
  #waiting: Map<SipRequest, SipResponse> | undefined = new Map()

  constructor(options: {
    readonly takers: readonly InviteTaker[]
    readonly log: Log
    readonly onUnrouted: () => void
    /** Whether anybody may call from that address; where absent the SIP server has seen to it. */
    readonly mayCall?: (address: string) => boolean
  }) {
    this.#takers = options.takers
    this.#log = options.log
    this.#onUnrouted = options.onUnrouted
    this.#mayCall = options.mayCall ?? (() => true)
  }

  /** Calls come as soon as a SIP server is connected: they wait until all that they need is there. */
  route(request: SipRequest, response: SipResponse): void {
    if (this.#waiting === undefined) {
      this.#give(request, response)
      return
    }
    this.#waiting.set(request, response)
    // The SIP server answers a cancelled INVITE itself.
    request.on('cancel', () => this.#waiting?.delete(request))
  }

  /** Calls can be taken from now on. Idempotent. */
  open(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const [request, response] of waiting) this.#give(request, response)
  }

  #give(request: SipRequest, response: SipResponse): void {
    const objection = objectionToUri(request.uri)
    if (objection !== undefined) {
      response.send(objection.status, objection.reason, { headers: objection.headers })
      return
    }
    if (!this.#mayCall(request.source_address)) {
      response.send(403, 'Forbidden', {})
      return
    }
    if (this.#takers.some((taker) => taker.take(request, response))) return
    this.#onUnrouted()
    this.#log.debug({ peer: request.source_address }, 'INVITE without a route')
    response.send(404, 'No Route', {})
  }
}
