import { hasCode } from '../../base/has-code.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { DigestSession } from '../sip/digest-session.ts'
import { isDialogGone } from '../sip/is-dialog-gone.ts'
import type { SipDialog, SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import type { NamedDialog } from './replaces.ts'

/** A dialog as joining two needs it: a request's callback form also hands out the ACK of an offerless re-INVITE. */
export interface JoinedDialog extends Omit<SipDialog, 'request'> {
  request(
    options: LegRequest,
    callback: (
      failure: unknown,
      response: SipResponse | undefined,
      ack?: (options: { readonly body: string }) => void,
    ) => void,
  ): void
}

export interface LegRequest {
  readonly method: string
  readonly headers?: SipHeaders
  readonly body?: string
  /** The ACK is ours to send, with the answer. */
  readonly noAck?: boolean
}

export interface LegAnswer {
  readonly response: SipResponse
  /** Present where the ACK is ours to send. */
  readonly ack: ((options: { readonly body: string }) => void) | undefined
}

/** What became of an offer of ours. */
export type OfferOutcome =
  | { readonly kind: 'accepted'; readonly sdp: string }
  | { readonly kind: 'refused'; readonly status: number }
  /** The peer's own offer is on its way to us. */
  | { readonly kind: 'crossed' }
  | { readonly kind: 'gone' }

const MOST_CHALLENGES = 3

/** One leg of a joined call: its dialog, and what is asked of its peer. */
export class JoinedLeg {
  readonly dialog: JoinedDialog
  /** How to give up what is asked for and not answered yet. */
  readonly #pending = new Set<(failure: unknown) => void>()
  /** The peer's credentials; undefined where it needs none. */
  readonly digest: DigestSession | undefined
  /** Resolves when the peer hangs up: with its BYE, or with undefined where that came before this leg was made. */
  readonly hungUp: Promise<SipRequest | undefined>
  #isLeft = false

  constructor(dialog: SipDialog, digest?: DigestSession) {
    this.digest = digest
    this.hungUp = new Promise((resolve) => {
      if (dialog.connected) dialog.on('destroy', resolve)
      else resolve(undefined)
    })
    // One object with two forms of `request`; the surface that receives calls declares the promise alone.
    this.dialog = dialog as unknown as JoinedDialog
  }

  /** The dialog as the peer knows it: its own tag is `toTag`. */
  get name(): NamedDialog {
    const { callId, localTag, remoteTag } = this.dialog.sip
    return { callId, toTag: remoteTag, fromTag: localTag }
  }

  get remoteUri(): string {
    return this.dialog.remote.uri
  }

  /** Whether somebody means this dialog by a name that is meant for us. */
  isNamed({ callId, toTag, fromTag }: NamedDialog): boolean {
    const { sip } = this.dialog
    return sip.callId === callId && sip.localTag === toTag && sip.remoteTag === fromTag
  }

  /**
   * Resolves with the final response, meeting challenges on the way; rejects where the SIP server could not send the
   * request.
   */
  async ask(options: LegRequest): Promise<LegAnswer> {
    const { method, body = '' } = options
    for (let challenges = 0; ; challenges++) {
      const vouched = this.digest?.headersFor({ method, uri: this.dialog.remote.uri, body }) ?? {}
      const answer = await this.#askOnce({
        ...options,
        headers: { ...options.headers, ...vouched },
      })
      const isMet = challenges < MOST_CHALLENGES && this.digest?.takes(answer.response, vouched)
      if (!isMet) return answer
    }
  }

  /** Asks and tells the final status, 481 for a dialog that is gone from the SIP server too. */
  async statusOf(options: LegRequest): Promise<{ readonly status: number; readonly sdp: string }> {
    try {
      const { response } = await this.ask(options)
      return { status: response.status, sdp: response.body ?? '' }
    } catch (error) {
      const isGone = hasCode(error, 'ENODIALOG')
      return { status: isGone ? 481 : 503, sdp: '' }
    }
  }

  /** Headers of a request with a description. */
  sdpHeaders(headers: SipHeaders = {}): SipHeaders {
    return { Contact: this.dialog.local.contact, ...headers, 'Content-Type': 'application/sdp' }
  }

  /** Sends an offer of ours in a re-INVITE. */
  async offer(body: string, headers: SipHeaders): Promise<OfferOutcome> {
    if (!this.dialog.connected) return { kind: 'gone' }
    const { status, sdp } = await this.statusOf({
      method: 'INVITE',
      headers: this.sdpHeaders(headers),
      body,
    })
    if (status === 200) return { kind: 'accepted', sdp }
    if (isDialogGone(status)) return { kind: 'gone' }
    return status === 491 ? { kind: 'crossed' } : { kind: 'refused', status }
  }

  /** The next ACK's body. */
  nextAck(): Promise<string> {
    return new Promise((resolve) => {
      let isTaken = false
      this.dialog.on('ack', (request) => {
        if (isTaken) return
        isTaken = true
        resolve(request.body ?? '')
      })
    })
  }

  /** The SIP server is lost, and with it every answer that was to come. */
  serverLost(): void {
    const failure = new TallenneError('sip_server_lost', 'the SIP server of the dialog is lost')
    for (const giveUp of this.#pending) giveUp(failure)
    this.#pending.clear()
  }

  /** Says BYE where the dialog is up, and resolves at its response, whatever that is. Idempotent. */
  async hangUp(headers: SipHeaders = {}): Promise<void> {
    if (!this.dialog.connected || this.#isLeft) return
    this.#isLeft = true
    const said =
      this.digest === undefined
        ? this.dialog.destroy({ headers })
        : this.ask({ method: 'BYE', headers })
    // A dialog that the far side no longer knows answers 481 or nothing; either way it is over.
    await said.catch(() => undefined)
  }

  #askOnce(options: LegRequest): Promise<LegAnswer> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject)
      this.dialog.request(options, (failure, response, ack) => {
        // Provisional responses to a re-INVITE say nothing of the outcome.
        if (response && response.status < 200) return
        this.#pending.delete(reject)
        if (response) resolve({ response, ack })
        else reject(failure)
      })
    })
  }
}

export function reasonOf(request: SipRequest | undefined): SipHeaders {
  const reason = request?.get('Reason')
  return reason === undefined ? {} : { Reason: reason }
}
