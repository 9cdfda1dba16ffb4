import type { MediaAddress } from '../../recorder/recording-plan.ts'
import { readMedia } from './sip-answer.ts'

/** A request that the peer sends inside a dialog of ours. */
export interface PeerRequest {
  readonly method: string
  readonly callId: string
  /** Where the peer takes media from now on; empty where the request says nothing of it. */
  readonly media: readonly MediaAddress[]
  /** Via, From, To, Call-ID and CSeq as they came, for the response (RFC 3261 §8.2.6.2). */
  readonly echoed: readonly string[]
}

const ECHOED = /^(via|from|to|call-id|cseq)\s*:/i

/** Null where the datagram is no request. */
export function readPeerRequest(text: string): PeerRequest | null {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  const [requestLine = '', ...lines] = head.split('\r\n')
  const method = /^([A-Z]+) \S+ SIP\/2\.0$/.exec(requestLine)?.[1]
  if (method === undefined) return null
  const callId = lines.find((line) => /^call-id\s*:/i.test(line)) ?? ''
  return {
    method,
    callId: callId.slice(callId.indexOf(':') + 1).trim(),
    media: readMedia(body),
    echoed: lines.filter((line) => ECHOED.test(line)),
  }
}

/** A 200 with our description where the request offered one, or a 481 where its dialog is not ours. */
export function writeReply(
  request: PeerRequest,
  reply: {
    readonly status: 200 | 481
    readonly local: { readonly address: string; readonly port: number }
    readonly description: string
  },
): string {
  const { status, local, description } = reply
  const body = request.media.length > 0 && status === 200 ? description : ''
  return [
    `SIP/2.0 ${status} ${status === 200 ? 'OK' : 'Call/Transaction Does Not Exist'}`,
    ...request.echoed,
    `Contact: <sip:caller@${local.address}:${local.port}>`,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}
