import { headerValue, headerValues, type SipMessage, withHeader } from './sip-message.ts'

export type BodyOutcome<Message extends SipMessage> =
  | { readonly kind: 'whole'; readonly message: Message }
  | { readonly kind: 'bad'; readonly reason: string }

const DIGITS = /^\d{1,9}$/
const BOUNDARY = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i

/** The Content-Length of a message: bytes, `absent`, or `invalid`, as it is where there are several. */
export function contentLength(message: SipMessage): number | 'absent' | 'invalid' {
  const [value, ...others] = headerValues(message, 'content-length')
  if (value === undefined) return 'absent'
  return others.length === 0 && DIGITS.test(value) ? Number(value) : 'invalid'
}

/**
 * Gives a datagram's message its body (RFC 3261 §18.3): what Content-Length says, and the rest is padding.
 *
 * Session border controllers miscount multipart bodies. One that begins but lies about its length, be it longer
 * than the datagram or so short that the closing boundary falls outside, is taken to the datagram's end, and its
 * Content-Length is written anew. So is one that counts a last line end which its body does not have.
 */
export function datagramBody<Message extends SipMessage>(
  message: Message,
  rest: string,
): BodyOutcome<Message> {
  const length = contentLength(message)
  if (length === 'invalid') return { kind: 'bad', reason: 'Bad Content-Length Header' }
  if (length === 'absent' || length === rest.length) {
    return { kind: 'whole', message: { ...message, body: rest } }
  }
  const boundary = boundaryOf(message)
  const isMultipart = boundary !== undefined && rest.includes(`--${boundary}`)
  if (length > rest.length) {
    if (!isMultipart && !lacksLineEnd(rest, length))
      return { kind: 'bad', reason: 'Content-Length Exceeds Datagram' }
    return { kind: 'whole', message: withWholeBody(message, rest) }
  }
  const stated = rest.slice(0, length)
  if (isMultipart && !stated.includes(`--${boundary}--`)) {
    return { kind: 'whole', message: withWholeBody(message, rest) }
  }
  return { kind: 'whole', message: { ...message, body: stated } }
}

/**
 * The message with as much of its body as has come over a stream, where a client has counted more than it sent: a
 * multipart body of which a part at least is whole, or one without its last line end. Undefined for all others, which
 * may still be coming.
 */
export function stalledBody<Message extends SipMessage>(
  message: Message,
  come: string,
): Message | undefined {
  const boundary = boundaryOf(message)
  const length = contentLength(message)
  const first = boundary === undefined ? -1 : come.indexOf(`--${boundary}`)
  const isPartWhole = first >= 0 && come.includes(`--${boundary}`, first + 2)
  const isAllButEnd = typeof length === 'number' && lacksLineEnd(come, length)
  return isPartWhole || isAllButEnd ? withWholeBody(message, come) : undefined
}

/** Whether nothing is missing but the line end after the last line of a description. */
function lacksLineEnd(body: string, length: number): boolean {
  const missing = length - body.length
  return missing > 0 && missing <= 2 && body.startsWith('v=') && !body.endsWith('\n')
}

function withWholeBody<Message extends SipMessage>(message: Message, body: string): Message {
  const counted = withHeader(message, 'content-length', {
    name: 'Content-Length',
    value: String(body.length),
  })
  return { ...counted, body }
}

function boundaryOf(message: SipMessage): string | undefined {
  const type = headerValue(message, 'content-type')
  if (type === undefined || !/^multipart\//i.test(type)) return undefined
  const match = BOUNDARY.exec(type)
  return match?.[1] ?? match?.[2]
}
