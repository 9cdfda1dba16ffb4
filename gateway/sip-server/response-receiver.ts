import type { Clock } from '../../base/clock.ts'
import { sipFrame, timeOfDay } from './client-frames.ts'
import type { ClientTransactions } from './client-transactions.ts'
import { defaultContact } from './default-contact.ts'
import { type Dialog, dialogOfClient } from './dialog.ts'
import type { DialogRequests } from './dialog-requests.ts'
import type { DialogTable } from './dialog-table.ts'
import type { HeardResponse } from './heard-response.ts'
import { fieldValue } from './message-writer.ts'
import type { OutgoingRequest } from './outgoing-request.ts'
import { makesDialog } from './responses.ts'
import type { SessionRefreshes } from './session-refreshes.ts'
import { messageText } from './sip-message.ts'

const TARGET_REFRESHES = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE'])

/** Takes what comes back to our requests: makes and ends dialogs by it, and hands it to the clients. */
export class ResponseReceiver {
  readonly #clock: Clock
  readonly #dialogs: DialogTable
  readonly #transactions: ClientTransactions
  readonly #dialogRequests: DialogRequests
  readonly #refreshes: SessionRefreshes

  constructor(options: {
    readonly clock: Clock
    readonly dialogs: DialogTable
    readonly transactions: ClientTransactions
    readonly dialogRequests: DialogRequests
    readonly refreshes: SessionRefreshes
  }) {
    this.#clock = options.clock
    this.#dialogs = options.dialogs
    this.#transactions = options.transactions
    this.#dialogRequests = options.dialogRequests
    this.#refreshes = options.refreshes
  }

  receive(outgoing: OutgoingRequest, heard: HeardResponse): void {
    const { status, response, peer } = heard
    const dialog = this.#noteDialog(outgoing, heard)
    const isSuccess = status >= 200 && status < 300
    if (outgoing.draft.method === 'INVITE' && isSuccess && dialog !== undefined) {
      if (!this.#transactions.awaitAck(dialog, outgoing)) return
      const isForked = outgoing.dialog === undefined && this.#settleForks(outgoing, dialog)
      if (!isForked) this.#refreshes.heardResponse(dialog, response)
      if (isForked || !outgoing.client?.isOpen) {
        this.#acknowledgeForNobody(dialog, outgoing, isForked)
        return
      }
    }
    if (outgoing.client === undefined) {
      this.#noteOwn(outgoing, status)
      return
    }
    outgoing.client.send(
      sipFrame({
        source: 'network',
        bytes: response.bytes,
        protocol: peer.transport.name,
        host: peer.host,
        port: peer.port,
        time: timeOfDay(this.#clock),
        transactionId: outgoing.transactionId,
        dialogId: outgoing.dialogId,
        text: messageText(response),
      }),
    )
    this.#noteEnd(outgoing, status)
  }

  /** A final response that the server makes up, since none came. */
  fail(outgoing: OutgoingRequest, status: number, reason: string): void {
    if (outgoing.client === undefined) {
      this.#noteOwn(outgoing, status)
      return
    }
    outgoing.client.send(
      sipFrame({
        source: 'network',
        bytes: 0,
        protocol: outgoing.peer.transport.name,
        host: '',
        port: 0,
        time: timeOfDay(this.#clock),
        transactionId: outgoing.transactionId,
        dialogId: outgoing.dialogId,
        text: outgoing.madeUpResponse(status, reason),
      }),
    )
    this.#noteEnd(outgoing, status)
  }

  /** The response's dialog: the one that the request went in, refreshed, or one that it makes. */
  #noteDialog(outgoing: OutgoingRequest, heard: HeardResponse): Dialog | undefined {
    const { status, response, essentials, peer } = heard
    const { draft, client, proxy } = outgoing
    if (outgoing.dialog !== undefined) {
      const isSuccess = status >= 200 && status < 300
      if (isSuccess && TARGET_REFRESHES.has(draft.method)) outgoing.dialog.refresh(response, peer)
      return outgoing.dialog
    }
    const { callId, fromTag = '', toTag } = essentials
    const isMade = makesDialog(draft.method) && status < 300 && toTag !== undefined
    if (!isMade || client === undefined) return undefined
    const early = this.#dialogs.find({ callId, localTag: fromTag, remoteTag: toTag })
    if (early !== undefined && (early.isConfirmed || status < 200)) return early
    const localContact =
      fieldValue(draft.fields, 'contact') ?? defaultContact(outgoing.peer, draft.uri)
    const sequence = Math.max(draft.sequence, early?.localSequence ?? 0)
    const made = { response, essentials, sequence, peer, owner: client, localContact, proxy }
    const dialog = dialogOfClient(made)
    dialog.isConfirmed = status >= 200
    const contentType = fieldValue(draft.fields, 'content-type') ?? ''
    if (draft.body !== '') dialog.localDescription = { contentType, body: draft.body }
    this.#dialogs.add(dialog)
    outgoing.ownDialogs.push(dialog)
    return dialog
  }

  /** The first success wins. True where another branch has won before (RFC 3261 §13.2.2.4). */
  #settleForks(outgoing: OutgoingRequest, dialog: Dialog): boolean {
    for (const other of outgoing.ownDialogs) if (!other.isConfirmed) this.#dialogs.remove(other)
    return this.#dialogs.findById(dialog.id) !== dialog
  }

  /** A success that no client waits for: another came first, its client is gone, or it is a refresh. */
  #acknowledgeForNobody(dialog: Dialog, outgoing: OutgoingRequest, isForked: boolean): void {
    const isAbandoned = isForked || outgoing.client !== undefined
    this.#dialogRequests.acknowledge(dialog, outgoing, () => {
      if (isAbandoned) this.#dialogRequests.end(dialog, 'Nobody waits for the answer')
    })
  }

  /** A refresh that was refused ends the call, unless the peer was refreshing it itself. */
  #noteOwn(outgoing: OutgoingRequest, status: number): void {
    const { dialog, draft } = outgoing
    if (draft.method !== 'INVITE' || dialog === undefined || status < 300) return
    if (!this.#dialogs.has(dialog)) return
    if (status === 491) this.#refreshes.again(dialog)
    else this.#dialogRequests.end(dialog, 'Session timer expired')
  }

  /** A refusal ends early dialogs; a BYE ends its dialog whatever is answered to it, unless that is a challenge. */
  #noteEnd(outgoing: OutgoingRequest, status: number): void {
    const { draft, dialog, ownDialogs } = outgoing
    if (status >= 300) {
      for (const early of ownDialogs) if (!early.isConfirmed) this.#dialogs.remove(early)
    }
    if (draft.method !== 'BYE' || dialog === undefined || status < 200) return
    if (status !== 401 && status !== 407) this.#dialogs.remove(dialog)
  }
}
