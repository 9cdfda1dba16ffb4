import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { Party, TrunkMedia } from '../media/trunk-media.ts'
import type { Refusal } from '../sip/refusal.ts'
import type { SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { readSdpOffer, type SdpMedia } from '../siprec/sdp-offer.ts'
import { carriedResponseHeaders } from './carried-headers.ts'
import type { HiddenHosts } from './hide-hosts.ts'

/** What the caller is told before the call is answered. */
export class CallerResponses {
  readonly #request: SipRequest
  readonly #response: SipResponse
  readonly #hosts: HiddenHosts
  readonly #log: Log
  #toldSdp: string | undefined

  constructor(options: {
    readonly request: SipRequest
    readonly response: SipResponse
    readonly hosts: Readonly<Record<Party, HiddenHosts>>
    readonly log: Log
  }) {
    this.#request = options.request
    this.#response = options.response
    this.#hosts = options.hosts.caller
    this.#log = options.log
  }

  /** Early media of our own. */
  announce(sdp: string): void {
    this.#provisional(183, {}, sdp)
  }

  /**
   * Whether the answer differs from the description that was told first: a caller may keep to that one, which was its
   * answer already (RFC 3261 §13.2.1).
   */
  isOtherThanTold(sdp: string): boolean {
    if (this.#toldSdp === undefined) return false
    const [told, now] = [audioOf(this.#toldSdp), audioOf(sdp)]
    return (
      told?.formats[0]?.payloadType !== now?.formats[0]?.payloadType ||
      told?.direction !== now?.direction ||
      told?.isHeld !== now?.isHeld
    )
  }

  /** Ringing or early media of a target's (RFC 3960). */
  async passProvisional(provisional: SipResponse, media: TrunkMedia): Promise<void> {
    try {
      const sdp = provisional.body ? await media.answerFromPlatform(provisional.body) : undefined
      const headers = carriedResponseHeaders((name) => provisional.get(name), this.#hosts)
      this.#provisional(provisional.status, headers, sdp)
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'early media could not be joined')
    }
  }

  refuse({ status, reason, headers }: Refusal): void {
    if (!this.#response.finalResponseSent) this.#response.send(status, reason, { headers })
  }

  #provisional(status: number, headers: SipHeaders, sdp: string | undefined): void {
    if (this.#response.finalResponseSent) return
    // A caller without an offer gets ours in the 200: an unreliable response cannot carry it (RFC 3261 §13.2.1).
    const body = this.#request.body ? sdp : undefined
    this.#toldSdp ??= body
    // Reliably only where the caller insists; the SIP server numbers it and takes the PRACK (RFC 3262 §3).
    const isReliable = /\b100rel\b/i.test(this.#request.get('Require') ?? '')
    this.#response.send(status, '', {
      headers: {
        ...headers,
        ...(isReliable ? { Require: '100rel' } : {}),
        ...(body === undefined ? {} : { 'Content-Type': 'application/sdp' }),
      },
      ...(body === undefined ? {} : { body }),
    })
  }
}

function audioOf(sdp: string): SdpMedia | undefined {
  const reading = readSdpOffer(sdp)
  if (reading.kind !== 'offer') return undefined
  return reading.offer.media.find(({ kind, port }) => kind === 'audio' && port > 0)
}
