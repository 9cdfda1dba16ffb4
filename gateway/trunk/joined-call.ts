import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { otherOf, type Party, type TrunkMedia } from '../media/trunk-media.ts'
import type { SipDialog, SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'

/** A dialog as joining two needs it: a request's callback form also hands out the ACK of an offerless re-INVITE. */
export interface JoinedDialog extends Omit<SipDialog, 'request'> {
  request(
    options: {
      readonly method: string
      readonly headers?: SipHeaders
      readonly body?: string
      readonly noAck?: boolean
    },
    callback: (
      failure: unknown,
      response: SipResponse | undefined,
      ack?: (options: { readonly body: string }) => void,
    ) => void,
  ): void
}

export interface JoinedCallOptions {
  readonly caller: JoinedDialog
  readonly platform: JoinedDialog
  readonly media: TrunkMedia
  /** The SDP that each party has of us now. */
  readonly localSdp: Readonly<Record<Party, string>>
  /** Takes a REFER that the route handles here; absent where it is passed on. */
  readonly onRefer?: (party: Party, request: SipRequest, response: SipResponse) => void
  /** A party showed that it lives: a re-INVITE or UPDATE came or was answered. */
  readonly onRefreshed: (party: Party) => void
  /** A party hung up; the other was told. */
  readonly onHungUp: (party: Party, request: SipRequest) => void
  readonly log: Log
}

/** Requests that pass from one dialog to the other with their bodies, and the headers that give them meaning. */
const PASSED = {
  info: ['Content-Type', 'Info-Package', 'Content-Disposition'],
  message: ['Content-Type'],
  notify: ['Content-Type', 'Event', 'Subscription-State'],
  refer: ['Refer-To', 'Referred-By', 'Replaces', 'Refer-Sub', 'Target-Dialog'],
} as const

const SDP_HEADERS: SipHeaders = { 'Content-Type': 'application/sdp' }

const REQUEST_TIMEOUT = 408
const DIALOG_GONE = 481

/**
 * Two dialogs of one call, joined: what one party asks for within its dialog reaches the other, with every SDP
 * rewritten by the media plane. A failure here refuses one request and leaves the call standing.
 */
export class JoinedCall {
  readonly #dialogs: Record<Party, JoinedDialog>
  readonly #options: JoinedCallOptions
  readonly #localSdp: Record<Party, string>
  readonly #offeredSdp: Partial<Record<Party, string>> = {}
  #isOffering = false
  #isEnded = false

  constructor(options: JoinedCallOptions) {
    this.#options = options
    this.#dialogs = { caller: options.caller, platform: options.platform }
    this.#localSdp = { ...options.localSdp }
    this.#listen('caller')
    this.#listen('platform')
  }

  /** Puts another platform party in the place of the one that transferred the call away. */
  replacePlatform(dialog: JoinedDialog, localSdp: string): void {
    this.#dialogs.platform = dialog
    this.#localSdp.platform = localSdp
    this.#listen('platform')
  }

  /** Refreshes the session with a party by the SDP that it has (RFC 4028 §7.4). */
  refresh(party: Party): void {
    const dialog = this.#dialogs[party]
    const body = this.#localSdp[party]
    dialog.request({ method: 'INVITE', headers: SDP_HEADERS, body }, (failure, response) => {
      if (!failure && response && response.status < 300) this.#options.onRefreshed(party)
    })
  }

  /** Hangs up on both parties. Idempotent. */
  end(headers: SipHeaders): void {
    if (this.#isEnded) return
    this.#isEnded = true
    for (const dialog of Object.values(this.#dialogs)) hangUp(dialog, headers)
  }

  #listen(party: Party): void {
    const dialog = this.#dialogs[party]
    const isCurrent = () => this.#dialogs[party] === dialog && !this.#isEnded
    const guarded =
      (take: (request: SipRequest, response: SipResponse) => void) =>
      (request: SipRequest, response: SipResponse) => {
        if (isCurrent()) take(request, response)
        else response.send(DIALOG_GONE, 'Call/Transaction Does Not Exist', {})
      }
    dialog.on('destroy', (request) => {
      if (!isCurrent()) return
      this.#isEnded = true
      hangUp(this.#dialogs[otherOf(party)], reasonOf(request))
      this.#options.onHungUp(party, request)
    })
    dialog.on(
      'modify',
      guarded((request, response) => void this.#reoffer(party, request, response)),
    )
    dialog.on(
      'update',
      guarded((request, response) => void this.#reoffer(party, request, response)),
    )
    for (const [method, names] of [
      ['info', PASSED.info],
      ['message', PASSED.message],
      ['notify', PASSED.notify],
    ] as const) {
      dialog.on(
        method,
        guarded((request, response) => this.#pass(party, { request, response, names })),
      )
    }
    dialog.on(
      'refer',
      guarded((request, response) => {
        if (this.#options.onRefer) this.#options.onRefer(party, request, response)
        else this.#pass(party, { request, response, names: PASSED.refer })
      }),
    )
  }

  #pass(
    party: Party,
    {
      request,
      response,
      names,
    }: {
      readonly request: SipRequest
      readonly response: SipResponse
      readonly names: readonly string[]
    },
  ): void {
    const headers: Record<string, string> = {}
    for (const name of names) {
      const value = request.get(name)
      if (value !== undefined) headers[name] = value
    }
    const { method, body } = request
    this.#dialogs[otherOf(party)].request(
      { method, headers, ...(body ? { body } : {}) },
      (failure, answer) => {
        if (failure || !answer) response.send(REQUEST_TIMEOUT, 'Request Timeout', {})
        else response.send(answer.status, '', answer.body ? { body: answer.body } : {})
      },
    )
  }

  /** A new offer, a request for one, or a refresh (RFC 3261 §14, RFC 3311, RFC 4028). */
  async #reoffer(party: Party, request: SipRequest, response: SipResponse): Promise<void> {
    const body = request.body ?? ''
    const isRefresh = body === '' ? request.method === 'UPDATE' : body === this.#offeredSdp[party]
    if (isRefresh) {
      this.#options.onRefreshed(party)
      response.send(200, 'OK', body === '' ? {} : this.#answer(party))
      return
    }
    if (this.#isOffering) {
      response.send(491, 'Request Pending', {})
      return
    }
    this.#isOffering = true
    try {
      if (body === '') await this.#askForOffer(party, response)
      else await this.#passOffer(party, { body, method: request.method, response })
      this.#offeredSdp[party] = body
      this.#options.onRefreshed(party)
    } catch (error) {
      this.#options.log.warn({ party, reason: messageOf(error) }, 'a new offer was not taken')
      if (!response.finalResponseSent) response.send(488, 'Not Acceptable Here', {})
    } finally {
      this.#isOffering = false
    }
  }

  async #passOffer(
    party: Party,
    {
      body,
      method,
      response,
    }: { readonly body: string; readonly method: string; readonly response: SipResponse },
  ): Promise<void> {
    const { media } = this.#options
    const other = otherOf(party)
    const offer = await media.reofferFrom(party, body)
    const { response: answer } = await ask(this.#dialogs[other], {
      method,
      headers: SDP_HEADERS,
      body: offer,
    })
    if (answer.status !== 200) {
      response.send(answer.status, '', {})
      return
    }
    this.#localSdp[other] = offer
    this.#options.onRefreshed(other)
    this.#localSdp[party] = await media.reanswerTo(party, answer.body ?? '')
    response.send(200, 'OK', this.#answer(party))
  }

  /** An INVITE without SDP asks the other party for its offer; the answer comes with the ACK (RFC 3261 §14.2). */
  async #askForOffer(party: Party, response: SipResponse): Promise<void> {
    const { media } = this.#options
    const other = otherOf(party)
    const { response: offered, ack } = await ask(this.#dialogs[other], {
      method: 'INVITE',
      noAck: true,
    })
    if (offered.status !== 200 || !ack) {
      response.send(offered.status, '', {})
      return
    }
    this.#localSdp[party] = await media.reofferFrom(other, offered.body ?? '')
    const acknowledged = nextAck(this.#dialogs[party])
    response.send(200, 'OK', this.#answer(party))
    const answer = await media.reanswerTo(other, await acknowledged)
    this.#localSdp[other] = answer
    ack({ body: answer })
  }

  #answer(party: Party) {
    return { headers: SDP_HEADERS, body: this.#localSdp[party] }
  }
}

interface Asked {
  readonly response: SipResponse
  readonly ack: ((options: { readonly body: string }) => void) | undefined
}

function ask(
  dialog: JoinedDialog,
  options: Parameters<JoinedDialog['request']>[0],
): Promise<Asked> {
  return new Promise((resolve, reject) => {
    dialog.request(options, (failure, response, ack) => {
      if (response) resolve({ response, ack })
      else reject(failure)
    })
  })
}

function nextAck(dialog: JoinedDialog): Promise<string> {
  return new Promise((resolve) => {
    let isTaken = false
    dialog.on('ack', (request) => {
      if (isTaken) return
      isTaken = true
      resolve(request.body ?? '')
    })
  })
}

function hangUp(dialog: JoinedDialog, headers: SipHeaders): void {
  // A dialog that the far side no longer knows answers 481 or nothing; either way it is over.
  if (dialog.connected) dialog.destroy({ headers }).catch(() => {})
}

function reasonOf(request: SipRequest): SipHeaders {
  const reason = request.get('Reason')
  return reason === undefined ? {} : { Reason: reason }
}
