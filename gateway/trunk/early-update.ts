import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { TrunkMedia } from '../media/trunk-media.ts'
import type { SipRequest, SipResponse } from '../sip/sip-surface.ts'
import type { Incoming } from './pass-request.ts'

/**
 * Answers an UPDATE that a target sends before its final response (RFC 3311 §5.2): a refresh, or another description
 * of its own. The answer is what it was offered, which holds every format that it could have chosen; the caller
 * learns of the change with the next response.
 */
export async function answerEarlyUpdate(
  { request, response }: Incoming,
  options: { readonly media: TrunkMedia; readonly localSdp: string; readonly log: Log },
): Promise<void> {
  const { media, localSdp, log } = options
  if (!request.body) return response.send(200, 'OK', {})
  try {
    await media.answerFromPlatform(request.body)
    const headers = { 'Content-Type': 'application/sdp' }
    response.send(200, 'OK', { headers, body: localSdp })
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'early UPDATE refused')
    response.send(488, 'Not Acceptable Here', {})
  }
}

/**
 * Answers an UPDATE of the caller's before its INVITE is answered. A refresh is granted; an offer has to wait, since
 * the one in the INVITE is open still (RFC 3311 §5.2).
 */
export function answerCallersUpdate(request: SipRequest, response: SipResponse): void {
  if (request.body) response.send(500, 'Server Internal Error', { headers: { 'Retry-After': '5' } })
  else response.send(200, 'OK', {})
}
