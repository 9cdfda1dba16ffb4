import { readSipAddress, splitAddresses } from '../../gateway/sip-address.ts'
import {
  headerValue,
  headerValues,
  type SipRequest,
  type SipResponse,
} from '../../gateway/sip-server/sip-message.ts'
import {
  readRecordingRequest,
  recordingSign,
} from '../../gateway/siprec/recording-session-request.ts'
import type { SdpMedia } from '../../gateway/siprec/sdp-offer.ts'
import type { CapturedMessage } from './captured-sip.ts'

export interface CapturedRequest extends CapturedMessage {
  readonly message: SipRequest
}

/** What both sides said of their media, from a moment on. */
export interface MediaRound {
  readonly fromMs: number
  /** Where the one who began the dialog, and the other, takes its media: m-lines in their order. */
  readonly own: readonly SdpMedia[]
  readonly other: readonly SdpMedia[]
}

/** A dialog that an INVITE of the capture began. */
export interface CapturedCall {
  readonly callId: string
  /** Whether it is a recording session already, or a call that somebody made. */
  readonly isRecordingSession: boolean
  readonly invite: CapturedRequest
  /** The answer's moment; undefined where it was not answered, or the capture does not hold that. */
  readonly answeredAtMs: number | undefined
  /** The status of what ended its INVITE without an answer. */
  readonly refusedWith: number | undefined
  /** What the one who began it asked for later, in order: re-INVITE, UPDATE, INFO, BYE. */
  readonly requests: readonly CapturedRequest[]
  /** The ACK that brought an answer to an offer of the other side's, where the INVITE brought none. */
  readonly answerInAck: CapturedRequest | undefined
  readonly rounds: readonly MediaRound[]
  /** Whoever said BYE. */
  readonly endedAtMs: number | undefined
  /** User parts of From and To. */
  readonly from: string
  readonly to: string
}

interface Transaction {
  readonly request: CapturedRequest
  readonly isOwn: boolean
  provisional: CapturedMessage | undefined
  final: CapturedMessage | undefined
  ack: CapturedRequest | undefined
}

const REPLAYED = new Set(['INVITE', 'UPDATE', 'INFO', 'BYE'])

/** The calls of a capture, in the order of their INVITEs. */
export function readCalls(messages: readonly CapturedMessage[]): CapturedCall[] {
  const byCallId = new Map<string, CapturedMessage[]>()
  for (const message of messages) {
    const callId = headerValue(message.message, 'call-id')
    if (callId === undefined) continue
    const dialog = byCallId.get(callId)
    if (dialog === undefined) byCallId.set(callId, [message])
    else dialog.push(message)
  }
  return [...byCallId].flatMap(([callId, dialog]) => {
    const call = readCall(callId, dialog)
    return call === undefined ? [] : [call]
  })
}

function readCall(callId: string, messages: readonly CapturedMessage[]): CapturedCall | undefined {
  const transactions = readTransactions(messages)
  const invites = transactions.filter(({ request }) => request.message.method === 'INVITE')
  // Of several attempts, as one without and one with credentials, the one that was answered is the call. Where the
  // capture began within the call, its first re-INVITE stands for the INVITE.
  const initial = invites.filter(({ request }) => tagOf(request.message, 'to') === undefined)
  const candidates = initial.length > 0 ? initial : invites
  const begun = candidates.find(({ final }) => isSuccess(final)) ?? candidates.at(-1)
  if (begun === undefined) return undefined
  const { request: invite, final } = begun
  const ownTag = tagOf(invite.message, 'from')
  const later = transactions
    .filter(({ request }) => request.atMs >= invite.atMs && request !== invite)
    .map((one) => ({ ...one, isOwn: tagOf(one.request.message, 'from') === ownTag }))
  const bye = later.find(({ request }) => request.message.method === 'BYE')
  const rounds = [{ ...begun, isOwn: true }, ...later].flatMap(readRound)
  const hasOffer = sdpOf(invite) !== undefined
  const ack = begun.ack
  return {
    callId,
    isRecordingSession: isRecordingSession(invite, rounds),
    invite,
    answeredAtMs: isSuccess(final) ? final?.atMs : undefined,
    refusedWith: final !== undefined && !isSuccess(final) ? statusOf(final) : undefined,
    requests: later
      .filter(({ request, isOwn }) => isOwn && REPLAYED.has(request.message.method))
      .map(({ request }) => request),
    answerInAck: !hasOffer && ack !== undefined && sdpOf(ack) !== undefined ? ack : undefined,
    rounds,
    endedAtMs: bye?.request.atMs,
    from: userOf(invite.message, 'from'),
    to: userOf(invite.message, 'to'),
  }
}

/** Requests with their answers; what was sent again, or passed a proxy, counts once. */
function readTransactions(messages: readonly CapturedMessage[]): Transaction[] {
  const transactions = new Map<string, Transaction>()
  for (const captured of messages) {
    const { message } = captured
    const [cseq = '', method = ''] = (headerValue(message, 'cseq') ?? '').split(/\s+/)
    const tag = tagOf(message, 'from') ?? ''
    if (isRequest(captured)) {
      if (captured.message.method === 'ACK') {
        const invite = transactions.get(`${cseq} INVITE ${tag}`)
        if (invite !== undefined) invite.ack ??= captured
        continue
      }
      const key = `${cseq} ${captured.message.method} ${tag}`
      if (transactions.has(key)) continue
      transactions.set(key, {
        request: captured,
        isOwn: false,
        provisional: undefined,
        final: undefined,
        ack: undefined,
      })
      continue
    }
    const transaction = transactions.get(`${cseq} ${method.toUpperCase()} ${tag}`)
    if (transaction === undefined) continue
    if (statusOf(captured) >= 200) transaction.final ??= captured
    else if (sdpOf(captured) !== undefined) transaction.provisional = captured
  }
  return [...transactions.values()]
}

function readRound(transaction: Transaction): MediaRound[] {
  const { request, isOwn, provisional, final, ack } = transaction
  const { method } = request.message
  if ((method !== 'INVITE' && method !== 'UPDATE') || (final !== undefined && !isSuccess(final))) {
    return []
  }
  const asked = sdpOf(request) ?? (ack && sdpOf(ack))
  const answered = (final && sdpOf(final)) ?? (provisional && sdpOf(provisional))
  if (asked === undefined && answered === undefined) return []
  const [own, other] = isOwn ? [asked, answered] : [answered, asked]
  return [{ fromMs: request.atMs, own: own ?? [], other: other ?? [] }]
}

function isRecordingSession(invite: CapturedRequest, rounds: readonly MediaRound[]): boolean {
  const { message } = invite
  const headers = (name: string) => headerValues(message, name.toLowerCase())
  const body = readRecordingRequest(headerValue(message, 'content-type') ?? '', message.body)
  if (recordingSign(headers, body) !== null) return true
  // Some recipes fork media to two m-lines and say nothing of it.
  const audio = rounds[0]?.own.filter(({ kind }) => kind === 'audio') ?? []
  return audio.length > 1 && audio.every(({ direction }) => direction !== 'sendrecv')
}

/** The m-lines of a message's description; undefined where it has none. */
export function sdpOf({ message }: CapturedMessage): readonly SdpMedia[] | undefined {
  if (message.body.trim() === '') return undefined
  const type = headerValue(message, 'content-type') ?? ''
  return readRecordingRequest(type, message.body).sdp?.media
}

function isRequest(captured: CapturedMessage): captured is CapturedRequest {
  return captured.message.kind === 'request'
}

function statusOf({
  message,
}: {
  readonly message: CapturedMessage['message'] | SipResponse
}): number {
  return message.kind === 'response' ? message.status : 0
}

function isSuccess(captured: CapturedMessage | undefined): boolean {
  return captured !== undefined && statusOf(captured) >= 200 && statusOf(captured) < 300
}

function tagOf(message: CapturedMessage['message'], header: 'from' | 'to'): string | undefined {
  const address = readSipAddress(headerValue(message, header) ?? '')
  return address.parameters.get('tag')
}

function userOf(message: SipRequest, header: 'from' | 'to'): string {
  const [address = ''] = splitAddresses([headerValue(message, header) ?? ''])
  return readSipAddress(address).user
}
