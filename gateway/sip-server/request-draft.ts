import type { Dialog } from './dialog.ts'
import {
  clientFields,
  composeMessage,
  field,
  fieldValue,
  guessedContentType,
  type HeaderField,
  type LocalAddress,
  withLocalHost,
} from './message-writer.ts'
import { type NameAddress, parseNameAddress, tagOf } from './name-address.ts'
import { makesDialog } from './responses.ts'
import { newBranch, newCallId, newSequenceNumber, newTag } from './tokens.ts'
import type { Peer } from './transport.ts'
import { formatVia } from './via.ts'

/** What a request of ours consists of, but for its Via, which depends on where it goes. */
export interface RequestDraft {
  readonly method: string
  readonly uri: string
  /** Values of Route, in order. */
  readonly routes: readonly string[]
  /** Values, tags included. */
  readonly from: string
  readonly to: string
  readonly callId: string
  readonly sequence: number
  readonly fields: readonly HeaderField[]
  readonly body: string
  readonly branch: string
}

/** What a client gave of a request. */
export interface ClientRequest {
  readonly method: string
  readonly uri: string
  /** Lines of headers. */
  readonly headers: string
  readonly body: string
}

export type DraftOutcome =
  | { readonly kind: 'draft'; readonly draft: RequestDraft }
  | { readonly kind: 'refused'; readonly reason: string }

/** Headers that become parts of the draft. */
const PARTS = new Set(['from', 'to', 'call-id', 'cseq'])
const NEEDS_CONTACT_INSIDE = new Set(['INVITE', 'SUBSCRIBE', 'REFER'])

/** A request outside of any dialog; what the client left out is filled in (RFC 3261 §8.1.1). */
export function draftOutside(
  request: ClientRequest,
  local: LocalAddress,
  contact: string,
): DraftOutcome {
  const given = clientFields(request.headers, local)
  const outcome = commonFields(given, request)
  if (outcome.kind === 'refused') return outcome
  const fields = [...outcome.fields]
  if (makesDialog(request.method) && fieldValue(fields, 'contact') === undefined) {
    fields.push(field('Contact', contact))
  }
  const wished = fieldValue(given, 'from') ?? contact
  const fromValue = wished.includes('localhost') ? withLocalHost(wished, local) : wished
  const from = parseNameAddress(fromValue ?? '')
  if (from === undefined) {
    return { kind: 'refused', reason: `invalid from value provided by client: ${wished}` }
  }
  const to = parseNameAddress(fieldValue(given, 'to') ?? request.uri)
  if (to === undefined) return { kind: 'refused', reason: 'invalid to value provided by client' }
  const sequence = sequenceOf(given)
  return {
    kind: 'draft',
    draft: {
      method: request.method,
      uri: request.uri,
      routes: [],
      from: tagOf(from) === undefined ? `${addressText(from)};tag=${newTag()}` : addressText(from),
      to: addressText(to),
      callId: fieldValue(given, 'call-id') ?? newCallId(),
      sequence: sequence ?? newSequenceNumber(),
      fields,
      body: request.body,
      branch: newBranch(),
    },
  }
}

/**
 * A request within a dialog, which counts it; addresses and Call-ID are the dialog's. An ACK has the sequence
 * number of what it acknowledges.
 */
export function draftInside(
  dialog: Dialog,
  request: ClientRequest,
  at: {
    readonly uri: string
    readonly routes: readonly string[]
    readonly acknowledged: number | undefined
  },
): DraftOutcome {
  const local = { host: dialog.peer.localHost, port: dialog.peer.localPort }
  const given = clientFields(request.headers, local)
  const outcome = commonFields(given, request)
  if (outcome.kind === 'refused') return outcome
  const fields = [...outcome.fields]
  if (NEEDS_CONTACT_INSIDE.has(request.method) && fieldValue(fields, 'contact') === undefined) {
    fields.push(field('Contact', dialog.localContact))
  }
  // A client that answers a challenge counts by itself.
  const counted = Math.max(sequenceOf(given) ?? 0, dialog.localSequence + 1)
  const sequence = at.acknowledged ?? counted
  dialog.localSequence = Math.max(dialog.localSequence, sequence)
  return {
    kind: 'draft',
    draft: {
      method: request.method,
      uri: at.uri,
      routes: at.routes,
      from: dialog.localAddress,
      to: dialog.remoteAddress,
      callId: dialog.callId,
      sequence,
      fields,
      body: request.body,
      branch: newBranch(),
    },
  }
}

/** The request's text, as sent to that peer. */
export function draftText(draft: RequestDraft, peer: Peer): string {
  const { method, uri, from, to, callId, sequence, body, branch } = draft
  const via = formatVia({
    protocol: peer.transport.name,
    host: peer.localHost,
    port: peer.localPort,
    branch,
  })
  const hasMaxForwards = draft.fields.some(({ key }) => key === 'max-forwards')
  const fields = [
    field('Via', via),
    ...draft.routes.map((route) => field('Route', route)),
    ...(hasMaxForwards ? [] : [field('Max-Forwards', '70')]),
    field('From', from),
    field('To', to),
    field('Call-ID', callId),
    field('CSeq', `${sequence} ${method}`),
    ...draft.fields,
  ]
  return composeMessage(`${method} ${uri} SIP/2.0`, fields, body)
}

/** The ACK of a refused INVITE: same branch, the response's To (RFC 3261 §17.1.1.3). */
export function draftOfFailureAck(invite: RequestDraft, to: string): RequestDraft {
  return { ...invite, method: 'ACK', to, fields: [], body: '' }
}

/** The CANCEL of an INVITE (RFC 3261 §9.1); of a client's headers, addresses do not count. */
export function draftOfCancel(invite: RequestDraft, headers: string, peer: Peer): RequestDraft {
  const local = { host: peer.localHost, port: peer.localPort }
  const fields = clientFields(headers, local).filter(({ key }) => {
    return !PARTS.has(key) && key !== 'contact' && key !== 'p-asserted-identity'
  })
  return { ...invite, method: 'CANCEL', fields, body: '' }
}

type Fields =
  | { readonly kind: 'fields'; readonly fields: readonly HeaderField[] }
  | { readonly kind: 'refused'; readonly reason: string }

function commonFields(given: readonly HeaderField[], request: ClientRequest): Fields {
  const fields = given.filter(({ key }) => !PARTS.has(key))
  if (request.body === '' || fieldValue(fields, 'content-type') !== undefined) {
    return { kind: 'fields', fields }
  }
  const type = guessedContentType(request.body)
  if (type === undefined) return { kind: 'refused', reason: 'missing content-type' }
  return { kind: 'fields', fields: [...fields, field('Content-Type', type)] }
}

function sequenceOf(given: readonly HeaderField[]): number | undefined {
  const digits = /^(\d{1,10})\s/.exec(fieldValue(given, 'cseq') ?? '')?.[1]
  const sequence = Number(digits)
  return digits === undefined || sequence >= 2 ** 31 ? undefined : sequence
}

function addressText(address: NameAddress): string {
  const display = address.display === '' ? '' : `${address.display} `
  return `${display}<${address.uri}>${address.parameters}`
}
