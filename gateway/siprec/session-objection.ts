import { RECORDING_OPTIONS, unsupportedOptions } from '../sip/option-tags.ts'
import { badExtension, type Refusal } from '../sip/refusal.ts'
import { ACCEPT } from '../sip/sip-headers.ts'
import type { ReadHeaders, RecordingRequest } from './recording-session-request.ts'

/** Types of bodies that are looked into, whatever comes of it. */
const READ = /^\s*(multipart\/|text\/|application\/(sdp|xml|octet-stream|rs-metadata))/i
/** What a client must take for us to be able to answer: some name the metadata's types alone, and mean SDP besides. */
const ACCEPTABLE = /(\*\/\*|application\/(\*|sdp|rs-metadata)|multipart\/)/i

/**
 * Why an INVITE cannot begin a recording session at all, in which case the client may ask again otherwise and it leaves
 * no contact; undefined where it can. A session that could be recorded is never refused for what can be overlooked.
 */
export function objectionToSession(
  headers: ReadHeaders,
  { message, body }: { readonly message: RecordingRequest; readonly body: string },
): Refusal | undefined {
  const unsupported = unsupportedOptions(headers('Require').join(','), RECORDING_OPTIONS)
  if (unsupported.length > 0) return badExtension(unsupported)
  const [type = ''] = headers('Content-Type')
  const isUseful = message.hasSdp || message.metadataRaw !== null || READ.test(type)
  if (body.trim() !== '' && type !== '' && !isUseful) {
    return { status: 415, reason: 'Unsupported Media Type', headers: { Accept: ACCEPT } }
  }
  const accept = headers('Accept').join(',').slice(0, 4096)
  if (accept.trim() !== '' && !ACCEPTABLE.test(accept)) {
    return { status: 406, reason: 'Not Acceptable', headers: {} }
  }
  return undefined
}
