import type { SipServerLimits } from './limits.ts'
import { datagramBody } from './message-body.ts'
import { parseHead } from './sip-message.ts'
import type { Received } from './transport.ts'

const LEADING_LINE_ENDS = /^[\r\n]+/

/** Reads the one message of a datagram, which is latin1. */
export function readDatagram(
  datagram: string,
  limits: Pick<SipServerLimits, 'maxHeadBytes' | 'maxHeaders'>,
): Received {
  const text = datagram.replace(LEADING_LINE_ENDS, '')
  if (text === '') return { kind: 'keep_alive' }
  const head = parseHead(text, limits)
  if (head.kind === 'unreadable') return { kind: 'dropped', reason: head.reason }
  if (head.kind === 'bad_request') {
    const { message, reason } = head
    return { kind: 'bad_request', message, status: 400, reason, isLast: false }
  }
  const message = { ...head.message, bytes: text.length }
  const outcome = datagramBody(message, text.slice(head.bodyStart))
  if (outcome.kind === 'whole') return { kind: 'message', message: outcome.message }
  if (message.kind === 'response') return { kind: 'dropped', reason: 'bad_content_length' }
  return { kind: 'bad_request', message, status: 400, reason: outcome.reason, isLast: false }
}
