import { readHeaders } from '../../gateway/sip/read-headers.ts'
import { gatherEvidence } from '../../gateway/siprec/identification-evidence.ts'
import { findReferences, REFERENCE_SOURCES } from '../../gateway/siprec/platform-references.ts'
import { readRecordingRequest } from '../../gateway/siprec/recording-session-request.ts'
import type { SdpOffer } from '../../gateway/siprec/sdp-offer.ts'
import { readMessage } from './scenario.ts'

/** What a message is like, whatever becomes of it. */
export interface MessageTraits {
  readonly method: string
  readonly callId: string
  readonly transport: string
  /** The dialect of its metadata, or null. */
  readonly metadata: string | null
  readonly offer: SdpOffer | null
  /** Kinds of references that it holds. */
  readonly references: readonly string[]
}

/** By the end of the root's namespace. */
const DIALECTS: readonly (readonly [end: string, name: string])[] = [
  ['recording:1', 'RFC 7865'],
  ['ns:recording', 'draft'],
  ['ns:siprec', 'early draft'],
]

export function messageTraits(name: string): MessageTraits {
  const message = Buffer.from(readMessage(name), 'latin1').toString()
  const headers = readHeaders(message)
  const body = message.slice(message.indexOf('\r\n\r\n') + 4)
  const request = readRecordingRequest(headers('Content-Type')[0] ?? '', body)
  const statements = { headers, requestUri: '', metadata: request.metadata, serviceNumbers: [] }
  const references = findReferences(REFERENCE_SOURCES, gatherEvidence(statements, 'FI'))
  return {
    method: message.split(' ', 1)[0] ?? '',
    callId: headers('Call-ID')[0] ?? '',
    transport: /^SIP\/2\.0\/(\w+)/.exec(headers('Via')[0] ?? '')?.[1] ?? '',
    metadata: request.metadataRaw === null ? null : dialectOf(request.metadataRaw),
    offer: request.sdp,
    references: [...new Set(references.map(({ kind }) => kind))],
  }
}

function dialectOf(xml: string): string {
  const namespace = /<(?:\w+:)?recording[^>]*?xmlns(?::\w+)?=["']([^"']*)/.exec(xml)?.[1] ?? ''
  return DIALECTS.find(([end]) => namespace.endsWith(end))?.[1] ?? 'unreadable'
}

/** How an offer stops its streams, or null where it stops none. */
export function stopOf({ method, offer }: MessageTraits): string | null {
  if (method === 'BYE') return 'BYE'
  const audio = offer?.media.filter(({ kind }) => kind === 'audio') ?? []
  if (audio.some(({ isHeld }) => isHeld)) return '0.0.0.0'
  return audio.some(({ direction }) => direction === 'inactive') ? 'inactive' : null
}
