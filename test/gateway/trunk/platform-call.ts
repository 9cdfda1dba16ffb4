import type { PeerMessage, SipPeer } from '../sip-peer.ts'

export interface Reply {
  readonly headers?: readonly string[]
  readonly body?: string
}

/** One call at the platform, from the INVITE that came on: answers and asks what a test says. */
export class PlatformCall {
  readonly invite: PeerMessage
  readonly #peer: SipPeer
  readonly #tag = `p${Math.random().toString(16).slice(2)}`
  #sequence = 0
  #branch = ''

  constructor(peer: SipPeer, invite: PeerMessage) {
    this.#peer = peer
    this.invite = invite
  }

  /** Waits for a call to come; `taken` holds the branches of those that came before. */
  static async next(peer: SipPeer, taken: Set<string>): Promise<PlatformCall> {
    const invite = await peer.next(
      ({ method, headers }) =>
        method === 'INVITE' &&
        !(headers.get('to') ?? '').includes('tag=') &&
        !taken.has(headers.get('via') ?? ''),
    )
    taken.add(invite.headers.get('via') ?? '')
    return new PlatformCall(peer, invite)
  }

  get callId(): string {
    return this.invite.headers.get('call-id') ?? ''
  }

  /** Our tag and the caller's, as Replaces names them. */
  get tags(): { readonly local: string; readonly remote: string } {
    return { local: this.#tag, remote: tagOf(this.invite.headers.get('from')) }
  }

  /** Another branch of the same call, with a tag of its own. */
  branch(): PlatformCall {
    return new PlatformCall(this.#peer, this.invite)
  }

  /** Waits for a request to this branch, where there are several. */
  receivedHere(method: string): Promise<PeerMessage> {
    return this.#peer.next(
      (message) =>
        message.method === method &&
        message.headers.get('call-id') === this.callId &&
        tagOf(message.headers.get('to')) === this.#tag,
    )
  }

  /** Answers a request of the dialog, by default the INVITE that made it. */
  respond(status: number, { headers = [], body = '' }: Reply = {}, request = this.invite): void {
    const to = request.headers.get('to') ?? ''
    const lines = [
      `SIP/2.0 ${status} Answer`,
      ...['via', 'from', 'call-id', 'cseq'].map((name) => `${name}: ${request.headers.get(name)}`),
      `To: ${to.includes('tag=') || status === 100 ? to : `${to};tag=${this.#tag}`}`,
      ...(headers.some((line) => line.startsWith('Contact:'))
        ? []
        : [`Contact: <sip:platform@127.0.0.1:${this.#peer.port}>`]),
      ...headers,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    this.#peer.reply(request, `${lines.join('\r\n')}\r\n\r\n${body}`)
  }

  /** Answers the call and waits for the ACK. */
  async answer(body: string, headers: readonly string[] = []): Promise<PeerMessage> {
    this.respond(200, { body, headers })
    return this.received('ACK')
  }

  /** Sends a request of the dialog. */
  request(method: string, { headers = [], body = '' }: Reply = {}): void {
    const contact = /<([^>]+)>/.exec(this.invite.headers.get('contact') ?? '')?.[1] ?? ''
    if (method !== 'ACK') this.#sequence++
    if (method !== 'CANCEL') this.#branch = `z9hG4bK${Math.random().toString(16).slice(2)}`
    const hasType = headers.some((line) => line.toLowerCase().startsWith('content-type'))
    const lines = [
      `${method} ${contact} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.#peer.port};branch=${this.#branch};rport`,
      'Max-Forwards: 70',
      `From: ${this.invite.headers.get('to')};tag=${this.#tag}`,
      `To: ${this.invite.headers.get('from')}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${this.#sequence} ${method}`,
      `Contact: <sip:platform@127.0.0.1:${this.#peer.port}>`,
      ...headers,
      ...(body === '' || hasType ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    this.#peer.send(`${lines.join('\r\n')}\r\n\r\n${body}`)
  }

  /** Waits for a request within this call. */
  received(method: string): Promise<PeerMessage> {
    return this.#peer.next(
      (message) => message.method === method && message.headers.get('call-id') === this.callId,
    )
  }

  /** Waits for the final response to a request of ours. */
  response(method: string): Promise<PeerMessage> {
    return this.#peer.next(
      ({ status, headers }) =>
        status >= 200 &&
        headers.get('call-id') === this.callId &&
        (headers.get('cseq') ?? '').endsWith(method),
    )
  }

  /** Sends a re-INVITE, and the ACK of its answer. */
  async reinvite(body: string): Promise<PeerMessage> {
    this.request('INVITE', { body })
    const response = await this.response('INVITE')
    if (response.status < 300) this.request('ACK')
    return response
  }
}

export function tagOf(header: string | undefined): string {
  return /tag=([^;>\s]+)/.exec(header ?? '')?.[1] ?? ''
}
