import { formatHost } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { sipFrame, timeOfDay } from './client-frames.ts'
import type { ClientTransactions } from './client-transactions.ts'
import type { Dialog } from './dialog.ts'
import { routeOf } from './dialog-route.ts'
import type { DialogTable } from './dialog-table.ts'
import { type HostResolver, type NextHop, nextHop, resolvePeer } from './next-hop.ts'
import type { OutgoingRequest } from './outgoing-request.ts'
import { type ClientRequest, draftInside, type RequestDraft } from './request-draft.ts'
import type { Peer, SipTransport } from './transport.ts'

export type Prepared =
  | { readonly kind: 'ready'; readonly draft: RequestDraft; readonly peer: Peer }
  | { readonly kind: 'refused'; readonly reason: string }

/** Requests within dialogs: routes and counts them; also those that the server sends by itself. */
export class DialogRequests {
  readonly #clock: Clock
  readonly #dialogs: DialogTable
  readonly #transactions: ClientTransactions
  readonly #transports: readonly SipTransport[]
  readonly #resolver: HostResolver

  constructor(options: {
    readonly clock: Clock
    readonly dialogs: DialogTable
    readonly transactions: ClientTransactions
    readonly transports: readonly SipTransport[]
    readonly resolver: HostResolver
  }) {
    this.#clock = options.clock
    this.#dialogs = options.dialogs
    this.#transactions = options.transactions
    this.#transports = options.transports
    this.#resolver = options.resolver
  }

  /** Drafts a request and finds where it goes. Calls `done` at once, unless a name is to be resolved. */
  prepare(dialog: Dialog, request: ClientRequest, done: (prepared: Prepared) => void): void {
    const route = routeOf(dialog, request.uri)
    const hop = this.#hopOf(dialog, route.sendTo)
    if (hop.kind === 'none') {
      done({ kind: 'refused', reason: hop.reason })
      return
    }
    const invite = this.#transactions.unacknowledgedIn(dialog)
    const acknowledged = request.method === 'ACK' ? invite?.draft.sequence : undefined
    const outcome = draftInside(dialog, request, { ...route, acknowledged })
    if (outcome.kind === 'refused') {
      done(outcome)
      return
    }
    const { draft } = outcome
    if (hop.kind === 'peer') {
      done({ kind: 'ready', draft, peer: hop.peer })
      return
    }
    void resolvePeer(hop, this.#resolver).then((peer) => {
      if (peer === undefined) done({ kind: 'refused', reason: `cannot resolve ${hop.host}` })
      else done({ kind: 'ready', draft, peer })
    })
  }

  /** Acknowledges a success of an INVITE on nobody's behalf. */
  acknowledge(dialog: Dialog, invite: OutgoingRequest, after: () => void): void {
    const uri = dialog.remoteTarget ?? invite.draft.uri
    this.prepare(dialog, { method: 'ACK', uri, headers: '', body: '' }, (prepared) => {
      if (prepared.kind === 'ready') this.#transactions.acknowledge(dialog, invite, prepared)
      after()
    })
  }

  /** Ends a dialog with a BYE of the server's own, and tells the client that knows it. */
  end(dialog: Dialog, why: string): void {
    const isKnown = this.#dialogs.findById(dialog.id) === dialog
    this.#dialogs.remove(dialog)
    const request = {
      method: 'BYE',
      uri: dialog.remoteTarget ?? '',
      headers: `Reason: SIP ;cause=200 ;text="${why}"`,
      body: '',
    }
    this.prepare(dialog, request, (prepared) => {
      if (prepared.kind === 'refused') return
      const { draft, peer } = prepared
      const options = { draft, peer, dialog, client: undefined, proxy: undefined }
      const bye = this.#transactions.begin(options)
      if (isKnown) this.#tellOfBye(dialog, bye)
      this.#transactions.start(bye)
    })
  }

  #tellOfBye(dialog: Dialog, bye: OutgoingRequest): void {
    const { peer, text } = bye
    dialog.owner.send(
      sipFrame({
        source: 'application',
        bytes: text.length,
        protocol: peer.transport.name,
        host: formatHost(peer.localHost),
        port: peer.localPort,
        time: timeOfDay(this.#clock),
        transactionId: 'unsolicited',
        dialogId: dialog.id,
        text,
      }),
    )
  }

  /** Sends a re-INVITE with the session as it is (RFC 4028 §7.4). */
  refresh(dialog: Dialog, expiresS: number, minS: number): void {
    const { localContact, localDescription } = dialog
    const type = localDescription?.contentType ?? ''
    const request = {
      method: 'INVITE',
      uri: dialog.remoteTarget ?? '',
      headers: [
        `Session-Expires: ${expiresS};refresher=uac`,
        `Min-SE: ${minS}`,
        `Contact: ${localContact}`,
        ...(type === '' ? [] : [`Content-Type: ${type}`]),
      ].join('\r\n'),
      body: localDescription?.body ?? '',
    }
    this.prepare(dialog, request, (prepared) => {
      if (prepared.kind === 'refused') {
        this.end(dialog, 'Session timer expired')
        return
      }
      const { draft, peer } = prepared
      const options = { draft, peer, dialog, client: undefined, proxy: undefined }
      this.#transactions.start(this.#transactions.begin(options))
    })
  }

  /** An open stream is used again, whatever the routes say; it is where the peer is. */
  #hopOf(dialog: Dialog, sendTo: string): NextHop {
    const { peer } = dialog
    const isOpenStream = peer.transport.isReliable && peer.transport.isConnected(peer)
    return isOpenStream ? { kind: 'peer', peer } : nextHop(sendTo, this.#transports, peer)
  }
}
