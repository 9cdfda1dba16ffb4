import { type NameAddress, parseNameAddress, tagOf } from './name-address.ts'
import { headerValue, headerValues, type SipMessage } from './sip-message.ts'
import { BRANCH_COOKIE, parseVia, splitTopVia, type Via } from './via.ts'

/** The parts of a message by which it finds its transaction and dialog. */
export interface Essentials {
  readonly via: Via
  readonly from: NameAddress
  readonly fromTag: string | undefined
  readonly to: NameAddress
  readonly toTag: string | undefined
  readonly callId: string
  readonly sequence: number
  readonly sequenceMethod: string
}

export type EssentialsOutcome =
  | { readonly kind: 'complete'; readonly essentials: Essentials }
  /** `isAnswerable` where there is somebody to answer: all else that a response repeats may be missing. */
  | { readonly kind: 'faulty'; readonly reason: string; readonly isAnswerable: boolean }

const SINGLE = [
  ['from', 'From'],
  ['to', 'To'],
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
] as const
const SEQUENCE = /^(\d{1,10})\s+([\w\-.!%*+`'~]+)$/

/** Reads what every message must have (RFC 3261 §8.1.1); the reason of a fault is fit for a 400. */
export function readEssentials(message: SipMessage): EssentialsOutcome {
  const viaValue = headerValue(message, 'via')
  const via = viaValue === undefined ? undefined : parseVia(splitTopVia(viaValue).top)
  const faulty = (reason: string): EssentialsOutcome => ({
    kind: 'faulty',
    reason,
    isAnswerable: via !== undefined,
  })
  if (viaValue === undefined) return faulty('Missing Via Header')
  if (via === undefined || /;\s*;/.test(splitTopVia(viaValue).top)) return faulty('Bad Via Header')
  for (const [key, name] of SINGLE) {
    const count = headerValues(message, key).length
    if (count !== 1)
      return faulty(count === 0 ? `Missing ${name} Header` : `Repeated ${name} Header`)
  }
  const from = parseNameAddress(headerValue(message, 'from') ?? '')
  if (from === undefined) return faulty('Bad From Header')
  const to = parseNameAddress(headerValue(message, 'to') ?? '')
  if (to === undefined) return faulty('Bad To Header')
  // The client protocol puts Call-ID and tags between bars.
  if (tagOf(from)?.includes('|')) return faulty('Bad From Header')
  if (tagOf(to)?.includes('|')) return faulty('Bad To Header')
  const callId = headerValue(message, 'call-id') ?? ''
  if (callId === '' || /[\s|]/.test(callId)) return faulty('Bad Call-ID Header')
  const sequence = SEQUENCE.exec(headerValue(message, 'cseq') ?? '')
  const sequenceNumber = Number(sequence?.[1])
  const sequenceMethod = sequence?.[2]
  if (sequenceMethod === undefined || sequenceNumber >= 2 ** 31) return faulty('Bad CSeq Header')
  if (message.kind === 'request' && sequenceMethod !== message.method) {
    return faulty('CSeq Method Differs')
  }
  const essentials = {
    via,
    from,
    fromTag: tagOf(from),
    to,
    toTag: tagOf(to),
    callId,
    sequence: sequenceNumber,
    sequenceMethod,
  }
  return { kind: 'complete', essentials }
}

/**
 * What identifies a request's server transaction (RFC 3261 §17.2.3). ACK and CANCEL share the INVITE's, which
 * `method` says.
 */
export function serverKey(essentials: Essentials, method: string): string {
  const { via, callId, sequence, fromTag } = essentials
  const sentBy = `${via.host.toLowerCase()}:${via.port ?? ''}`
  const type = method === 'ACK' || method === 'CANCEL' ? 'INVITE' : method
  // A branch of the cookie alone identifies nothing.
  const isUnique = via.branch?.startsWith(BRANCH_COOKIE) && via.branch !== BRANCH_COOKIE
  if (isUnique) return `${via.branch} ${sentBy} ${type}`
  return `${callId} ${sequence} ${fromTag ?? ''} ${via.branch ?? ''} ${sentBy} ${type}`
}
