import { ALLOW } from './sip-headers.ts'
import type { SipFramework } from './sip-surface.ts'

/** Methods that SIP servers hand to us only because they are asked for here; all others they answer by themselves. */
const OTHERS = ['register', 'subscribe', 'message', 'publish', 'refer', 'notify', 'info'] as const

/**
 * Answers what is no call and no question after one (RFC 3261 §8.2.1), so that whoever registers or subscribes here by
 * mistake is told so, and does not take it for an overload. Within a dialog it is one that nobody knows any more.
 */
export function refuseOtherMethods(framework: SipFramework): void {
  for (const method of OTHERS) {
    framework.use(method, (request, response) => {
      if (!request.stackDialogId) {
        response.send(405, 'Method Not Allowed', { headers: { Allow: ALLOW } })
      } else {
        response.send(481, 'Call/Transaction Does Not Exist', {})
      }
    })
  }
}
