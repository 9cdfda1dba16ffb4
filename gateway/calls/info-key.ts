import type { SipRequest } from '../sip/sip-surface.ts'

const LONGEST_BODY = 256
/** Numbers that some senders write for keys without a digit of their own (RFC 4733 §3.2). */
const NUMBERED: Readonly<Record<string, string>> = {
  '10': '*',
  '11': '#',
  '12': 'A',
  '13': 'B',
  '14': 'C',
  '15': 'D',
}

/**
 * The key that a party pressed and its client tells of in INFO, a letter in capitals; undefined where it tells of none.
 *
 *     application/dtmf-relay   Signal=5      application/dtmf   5
 *                              Duration=160
 *
 * It may be of a card number: for deciding, never for rows, logs or metrics.
 */
export function infoKey(request: Pick<SipRequest, 'get' | 'body'>): string | undefined {
  const [type = ''] = (request.get('Content-Type') ?? '').split(';')
  const body = (request.body ?? '').slice(0, LONGEST_BODY)
  switch (type.trim().toLowerCase()) {
    case 'application/dtmf-relay':
      return keyOf(/^[ \t]*Signal[ \t]*=[ \t]*(\S{1,2})[ \t]*\r?$/im.exec(body)?.[1])
    case 'application/dtmf':
      return keyOf(body.trim())
    default:
      return undefined
  }
}

function keyOf(text = ''): string | undefined {
  const key = NUMBERED[text] ?? text.toUpperCase()
  return /^[0-9*#A-D]$/.test(key) ? key : undefined
}
