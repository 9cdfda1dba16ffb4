import type { SipRequest, SipResponse } from '../sip/sip-surface.ts'
import type { JoinedLeg } from './joined-leg.ts'

/** A request of a party's within its dialog. */
export interface Incoming {
  readonly request: SipRequest
  readonly response: SipResponse
}

/** Requests that pass from one dialog to the other with their bodies, and the headers that give them meaning. */
const PASSED = {
  INFO: ['Content-Type', 'Info-Package', 'Content-Disposition'],
  MESSAGE: ['Content-Type'],
  NOTIFY: ['Content-Type', 'Event', 'Subscription-State'],
  REFER: ['Refer-To', 'Referred-By', 'Refer-Sub'],
} as const

export type PassedMethod = keyof typeof PASSED

/** Puts a header into the other party's terms. */
export type HeaderRewriter = (name: string, value: string) => string

/** Asks the other party what one party asks, and answers with its answer. Tells the status. */
export async function passRequest(
  method: PassedMethod,
  { request, response }: Incoming,
  { to, rewrite }: { readonly to: JoinedLeg; readonly rewrite: HeaderRewriter },
): Promise<number> {
  const headers: Record<string, string> = {}
  for (const name of PASSED[method]) {
    const value = request.get(name)
    if (value !== undefined) headers[name] = rewrite(name, value)
  }
  const { body } = request
  const asked = { method, headers, ...(body ? { body } : {}) }
  const answer = await to.ask(asked).catch(() => undefined)
  if (answer === undefined) {
    response.send(408, 'Request Timeout', {})
    return 408
  }
  const { status, body: answerBody } = answer.response
  const contentType = answer.response.get('Content-Type')
  response.send(status, '', {
    ...(contentType === undefined ? {} : { headers: { 'Content-Type': contentType } }),
    ...(answerBody ? { body: answerBody } : {}),
  })
  return status
}
