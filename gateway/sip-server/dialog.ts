import { formatAddress } from '../../base/address.ts'
import type { Timer } from '../../base/clock.ts'
import type { ClientConnection } from './client-connection.ts'
import type { Essentials } from './essentials.ts'
import { parseNameAddress, splitList } from './name-address.ts'
import { headerValues, type SipMessage, type SipRequest, type SipResponse } from './sip-message.ts'
import { parseSipUri } from './sip-uri.ts'
import { newSequenceNumber } from './tokens.ts'
import type { Peer } from './transport.ts'

/** A call leg between this server and a peer (RFC 3261 §12), as a client of the server knows it by its id. */
export class Dialog {
  /** `CALL-ID;from-tag=TAG`, the tag being that of whoever began. */
  readonly id: string
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  /** From of our requests, tag included. */
  readonly localAddress: string
  /** To of our requests, tag included. */
  readonly remoteAddress: string
  /** Route values of our requests, in order. */
  readonly routeSet: readonly string[]
  /** Where requests go although routes or target say otherwise: the far end is behind a NAT. */
  readonly natTarget: string | undefined
  /** The client that made it; in-dialog requests go there. */
  readonly owner: ClientConnection
  /** The peer as last heard of; a stream is used again. */
  peer: Peer
  /** Request-URI of our requests: the peer's Contact (RFC 3261 §12.2.1.2). */
  remoteTarget: string | undefined
  localSequence: number
  /** Undefined until the peer has sent a request. */
  remoteSequence: number | undefined
  /** Contact of our requests that need one. */
  localContact: string
  isConfirmed = false
  /** The session description that this side gave last, for refreshes. */
  localDescription: { readonly contentType: string; readonly body: string } | undefined
  /** Refreshes or ends the session (RFC 4028). */
  sessionTimer: Timer | undefined

  constructor(options: {
    readonly role: 'uac' | 'uas'
    readonly callId: string
    readonly localTag: string
    readonly remoteTag: string
    readonly localAddress: string
    readonly remoteAddress: string
    readonly routeSet: readonly string[]
    readonly natTarget: string | undefined
    readonly owner: ClientConnection
    readonly peer: Peer
    readonly remoteTarget: string | undefined
    readonly localSequence: number
    readonly remoteSequence: number | undefined
    readonly localContact: string
  }) {
    const initiator = options.role === 'uas' ? options.remoteTag : options.localTag
    this.id = `${options.callId};from-tag=${initiator}`
    this.callId = options.callId
    this.localTag = options.localTag
    this.remoteTag = options.remoteTag
    this.localAddress = options.localAddress
    this.remoteAddress = options.remoteAddress
    this.routeSet = options.routeSet
    this.natTarget = options.natTarget
    this.owner = options.owner
    this.peer = options.peer
    this.remoteTarget = options.remoteTarget
    this.localSequence = options.localSequence
    this.remoteSequence = options.remoteSequence
    this.localContact = options.localContact
  }

  /** Takes what a request or a success within the dialog says of the peer's whereabouts (RFC 3261 §12.2). */
  refresh(message: SipMessage, peer: Peer): void {
    const target = contactUri(message)
    if (target !== undefined) this.remoteTarget = target
    if (peer.transport.isReliable) this.peer = peer
  }
}

/** The dialog that a response to a peer's INVITE or SUBSCRIBE makes (RFC 3261 §12.1.1). */
export function dialogOfServer(options: {
  readonly request: SipRequest
  readonly essentials: Essentials
  readonly toTag: string
  readonly peer: Peer
  readonly owner: ClientConnection
  readonly localContact: string
}): Dialog {
  const { request, essentials, peer } = options
  const routeSet = headerValues(request, 'record-route').flatMap(splitList)
  const to = addressText(request, 'to')
  return new Dialog({
    role: 'uas',
    callId: essentials.callId,
    localTag: options.toTag,
    remoteTag: essentials.fromTag ?? '',
    localAddress: `${to};tag=${options.toTag}`,
    remoteAddress: addressText(request, 'from'),
    routeSet,
    natTarget: natTargetOfServer(request, routeSet, peer),
    owner: options.owner,
    peer,
    remoteTarget: contactUri(request),
    localSequence: newSequenceNumber(),
    remoteSequence: essentials.sequence,
    localContact: options.localContact,
  })
}

/** The dialog that a peer's response to our INVITE or SUBSCRIBE makes (RFC 3261 §12.1.2). */
export function dialogOfClient(options: {
  readonly response: SipResponse
  readonly essentials: Essentials
  readonly sequence: number
  readonly peer: Peer
  readonly owner: ClientConnection
  readonly localContact: string
  /** URI given by the client to send by. */
  readonly proxy: string | undefined
}): Dialog {
  const { response, essentials, peer } = options
  const routeSet = headerValues(response, 'record-route').flatMap(splitList).toReversed()
  const target = contactUri(response)
  return new Dialog({
    role: 'uac',
    callId: essentials.callId,
    localTag: essentials.fromTag ?? '',
    remoteTag: essentials.toTag ?? '',
    localAddress: addressText(response, 'from'),
    remoteAddress: addressText(response, 'to'),
    routeSet,
    natTarget: options.proxy ?? natTargetOfClient(target, routeSet, peer),
    owner: options.owner,
    peer,
    remoteTarget: target,
    localSequence: options.sequence,
    remoteSequence: undefined,
    localContact: options.localContact,
  })
}

function contactUri(message: SipMessage): string | undefined {
  const [first] = headerValues(message, 'contact').flatMap(splitList)
  return first === undefined ? undefined : parseNameAddress(first)?.uri
}

function addressText(message: SipMessage, key: 'from' | 'to'): string {
  const [value = ''] = headerValues(message, key)
  return value
}

/** Like a drachtio server: over datagrams, a Contact that is not the source is taken for one behind a NAT. */
function natTargetOfServer(
  request: SipRequest,
  routeSet: readonly string[],
  peer: Peer,
): string | undefined {
  if (peer.transport.isReliable || routeSet.length > 0) return undefined
  const target = parseSipUri(contactUri(request) ?? '')
  if (target === undefined) return undefined
  const isSource = target.host === peer.host && (target.port ?? peer.port) === peer.port
  return isSource ? undefined : `sip:${formatAddress(peer)}`
}

function natTargetOfClient(
  target: string | undefined,
  routeSet: readonly string[],
  peer: Peer,
): string | undefined {
  const uri = parseSipUri(target ?? '')
  if (uri === undefined || routeSet.length > 0 || uri.host === peer.host) return undefined
  const parameter = peer.transport.name === 'udp' ? '' : `;transport=${peer.transport.name}`
  return `sip:${formatAddress(peer)}${parameter}`
}
