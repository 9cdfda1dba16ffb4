import type { PeerMessage } from '../gateway/sip-peer.ts'

/** A message of a fixture as it goes out. */
export interface OutgoingMessage {
  readonly transport: 'udp' | 'tcp'
  readonly text: string
  readonly method: string
  readonly callId: string
  readonly cseq: string
}

interface Dialog {
  readonly tag: string
  readonly target: string
}

/**
 * What the recorder has answered in each dialog. The tags and targets that fixtures have within dialogs are
 * somebody's of long ago; nothing else of a message is changed, save that responses must find their way back.
 */
export class DialogBook {
  readonly #dialogs = new Map<string, Dialog>()

  address(written: string): OutgoingMessage {
    const end = written.indexOf('\r\n\r\n')
    const [head, body] = [written.slice(0, end), written.slice(end)]
    const callId = headerOf(head, 'Call-ID')
    const dialog = /^To:.*;\s*tag=/im.test(head) ? this.#dialogs.get(callId) : undefined
    const within =
      dialog === undefined
        ? head
        : head
            .replace(/^(\S+) \S+ /, `$1 ${dialog.target} `)
            .replace(/^(To:.*;\s*tag=)[^;\s]+/im, `$1${dialog.tag}`)
    const isUdp = /^Via: *SIP\/2\.0\/UDP/im.test(head)
    const routed = isUdp
      ? within.replace(/^(Via:[^\r\n]*)/im, '$1;rport')
      : within.replace(/^(Via: *SIP\/2\.0\/)TLS/im, '$1TCP')
    return {
      transport: isUdp ? 'udp' : 'tcp',
      text: routed + body,
      method: head.split(' ', 1)[0] ?? '',
      callId,
      cseq: headerOf(head, 'CSeq'),
    }
  }

  /** Takes a response to an INVITE and gives the ACK that it needs, of the invite's own headers. */
  acknowledge(invite: OutgoingMessage, response: PeerMessage): string {
    const tag = /tag=([^;>\s]+)/.exec(response.headers.get('to') ?? '')?.[1] ?? ''
    const target = /<([^>]+)>/.exec(response.headers.get('contact') ?? '')?.[1]
    const isSuccess = response.status < 300
    if (isSuccess && target !== undefined) this.#dialogs.set(invite.callId, { tag, target })
    const head = invite.text.slice(0, invite.text.indexOf('\r\n\r\n'))
    const via = headerOf(head, 'Via')
    const uri = isSuccess ? (target ?? '') : (head.split(' ')[1] ?? '')
    return [
      `ACK ${uri} SIP/2.0`,
      // The ACK of a success is a transaction of its own.
      `Via: ${isSuccess ? via.replace(/branch=[^;\s]+/, `$&-ack`) : via}`,
      'Max-Forwards: 70',
      `From: ${headerOf(head, 'From')}`,
      `To: ${response.headers.get('to') ?? ''}`,
      `Call-ID: ${invite.callId}`,
      `CSeq: ${Number.parseInt(invite.cseq, 10)} ACK`,
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n')
  }
}

function headerOf(head: string, name: string): string {
  return new RegExp(`^${name}: *([^\\r\\n]*)`, 'im').exec(head)?.[1]?.trim() ?? ''
}
