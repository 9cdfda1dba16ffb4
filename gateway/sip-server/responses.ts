import { composeMessage, field, type HeaderField } from './message-writer.ts'
import { headerValue, headerValues, type SipRequest } from './sip-message.ts'

/** Reasons of the responses that the server makes up itself. */
export const REASONS = {
  100: 'Trying',
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  481: 'Call/Transaction Does Not Exist',
  482: 'Request Merged',
  487: 'Request Terminated',
  491: 'Request Pending',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Gateway Time-out',
  505: 'Version Not Supported',
} as const

/** What a response repeats of its request, besides Via (RFC 3261 §8.2.6.2). */
const REPEATED = [
  ['from', 'From'],
  ['to', 'To'],
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
] as const

export type OwnStatus = keyof typeof REASONS

/** Methods whose success makes a dialog. */
export function makesDialog(method: string): boolean {
  return method === 'INVITE' || method === 'SUBSCRIBE'
}

/** Text of a response to a request whose Via is stamped already (RFC 3261 §8.2.6). */
export function responseText(
  request: SipRequest,
  response: {
    readonly status: number
    readonly reason: string
    /** Added to To where the request has none; undefined for a 100. */
    readonly toTag: string | undefined
    readonly fields?: readonly HeaderField[]
    readonly body?: string
  },
): string {
  const { status, reason } = response
  const fields: HeaderField[] = headerValues(request, 'via').map((value) => field('Via', value))
  if (status > 100 && status < 300 && makesDialog(request.method)) {
    for (const value of headerValues(request, 'record-route')) {
      fields.push(field('Record-Route', value))
    }
  }
  for (const [key, name] of REPEATED) {
    const value = headerValue(request, key)
    // A request that lacks one is refused, with what there is.
    if (value === undefined) continue
    fields.push(field(name, key === 'to' ? withTag(value, response.toTag) : value))
  }
  const timestamp = headerValue(request, 'timestamp')
  if (status === 100 && timestamp !== undefined) fields.push(field('Timestamp', timestamp))
  return composeMessage(
    `SIP/2.0 ${status} ${reason}`,
    [...fields, ...(response.fields ?? [])],
    response.body ?? '',
  )
}

function withTag(to: string, tag: string | undefined): string {
  if (tag === undefined || /;\s*tag\s*=/i.test(to.slice(to.lastIndexOf('>') + 1))) return to
  return `${to};tag=${tag}`
}
