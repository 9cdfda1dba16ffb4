import { type BodyPart, readBody } from './multipart.ts'
import { readRecordingMetadata } from './read-metadata.ts'
import type { RecordingMetadata } from './recording-metadata.ts'
import { readSdpOffer, type SdpOffer } from './sdp-offer.ts'

/** All values of a header, in the message's order; none where it is absent. */
export type ReadHeaders = (name: string) => readonly string[]

/** How an INVITE shows that it brings a recording session rather than a call. */
export type RecordingSign =
  | 'require'
  | 'contact'
  | 'metadata'
  | 'cisco-recording-participant'
  | 'cisco-built-in-bridge'

/** What a message says to a recorder. */
export interface RecordingRequest {
  /** Null where there is none or it cannot be read. */
  readonly sdp: SdpOffer | null
  /** Whether there is one at all: an INVITE without asks us to offer (RFC 7866 §7.2). */
  readonly hasSdp: boolean
  readonly metadata: RecordingMetadata | null
  /** As received, cut at `METADATA_RAW_BYTES`, or null where there is none. */
  readonly metadataRaw: string | null
  readonly problems: readonly string[]
}

export const METADATA_RAW_BYTES = 65_536

const SDP_TYPE = 'application/sdp'
const METADATA_TYPES = new Set(['application/rs-metadata', 'application/rs-metadata+xml'])
/** Types under which clients have sent either; the content tells. */
const VAGUE_TYPES = new Set([
  '',
  'text/plain',
  'text/xml',
  'application/xml',
  'application/octet-stream',
])

/** Longest part of nothing but white space that counts as none. */
const BLANK_LENGTH = 4096

/** Longest header value that is searched for a sign. */
const HEADER_LENGTH = 4096

/**
 * The first sign that an INVITE brings a recording session, or null. RFC 7866 §6.2 asks for both the option tag and
 * the Contact parameter; in the field one of these is all that some clients send.
 */
export function recordingSign(
  headers: ReadHeaders,
  request: Pick<RecordingRequest, 'metadataRaw'>,
): RecordingSign | null {
  const some = (name: string, pattern: RegExp) =>
    headers(name).some((value) => pattern.test(value.slice(0, HEADER_LENGTH)))
  if (some('Require', /(^|[\s,])siprec([\s,]|$)/i)) return 'require'
  if (some('Contact', /;\s*(\+sip\.)?src(?=[\s;,>="]|$)/i)) return 'contact'
  if (request.metadataRaw !== null) return 'metadata'
  if (some('X-Cisco-Recording-Participant', /./)) return 'cisco-recording-participant'
  if (some('From', /;\s*x-(near|far)end(?=[\s;,>=]|$)/i)) return 'cisco-built-in-bridge'
  return null
}

/** Reads the body of an INVITE, UPDATE, ACK or BYE of a recording session. Never throws. */
export function readRecordingRequest(contentType: string, body: string): RecordingRequest {
  const { parts: allParts, problems: bodyProblems } = readBody(contentType, body)
  // Some clients name the type of a body that they leave out.
  const parts = allParts.filter(({ content }) => !isBlank(content))
  const problems = [...bodyProblems]
  const sdpPart = parts.find((part) => typeOf(part) === SDP_TYPE)
  const metadataPart = parts.find((part) => METADATA_TYPES.has(typeOf(part)))

  let sdp: SdpOffer | null = null
  if (sdpPart !== undefined) {
    const reading = readSdpOffer(sdpPart.content)
    if (reading.kind === 'offer') sdp = reading.offer
    else problems.push(reading.problem)
  }
  let metadata: RecordingMetadata | null = null
  if (metadataPart !== undefined) {
    const reading = readRecordingMetadata(metadataPart.content)
    metadata = reading.metadata
    problems.push(...reading.problems)
  }
  const metadataRaw = metadataPart === undefined ? null : cutAtBytes(metadataPart.content)
  return { sdp, hasSdp: sdpPart !== undefined, metadata, metadataRaw, problems }
}

function typeOf(part: BodyPart): string {
  if (!VAGUE_TYPES.has(part.mediaType)) return part.mediaType
  const start = part.content.slice(0, 256).trimStart()
  if (start.startsWith('v=')) return SDP_TYPE
  return start.startsWith('<') ? 'application/rs-metadata+xml' : part.mediaType
}

/** However much of it there is, as much is looked at as an ordinary part has. */
function isBlank(content: string): boolean {
  return content.length <= BLANK_LENGTH && content.trim() === ''
}

function cutAtBytes(content: string): string {
  // A character has a byte at least, so that what is beyond is cut off in any case.
  const text = content.slice(0, METADATA_RAW_BYTES).trim()
  if (Buffer.byteLength(text) <= METADATA_RAW_BYTES) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(METADATA_RAW_BYTES))
  return text.slice(0, read)
}
