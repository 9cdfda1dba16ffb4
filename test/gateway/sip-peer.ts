import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { WAIT_MS } from '../until.ts'
import { Waiters } from '../waiters.ts'

/** A SIP message as the peer reads it: just enough for tests. */
export interface PeerMessage {
  readonly firstLine: string
  /** First value of each header, by name in small letters. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** 0 for a request. */
  readonly status: number
  readonly method: string
}

export interface CallOptions {
  readonly callId: string
  readonly to?: string
  /** URI with its parameters. */
  readonly from?: string
  readonly headers?: readonly string[]
  readonly contentType?: string
  readonly body?: string
  /** Another call's, for the same request by another path. */
  readonly fromTag?: string
  /** Without the signs of a recording session. */
  readonly isPlain?: boolean
  readonly maxForwards?: number
}

/** A recording client over UDP: sends what a test says and keeps what comes. It retransmits nothing. */
export class SipPeer {
  readonly #socket: Socket
  readonly #server: { readonly host: string; readonly port: number }
  readonly #received: PeerMessage[] = []
  readonly #sources = new WeakMap<PeerMessage, { readonly host: string; readonly port: number }>()
  /** Requests that are answered 200 by themselves. */
  readonly answers = new Set(['BYE', 'OPTIONS', 'UPDATE', 'INFO'])
  readonly #waiters = new Waiters()
  #closed: Promise<void> | undefined

  private constructor(socket: Socket, server: { readonly host: string; readonly port: number }) {
    this.#socket = socket
    this.#server = server
    socket.on('message', (bytes, { address, port }) => {
      this.#take(bytes.toString(), { host: address, port })
    })
  }

  static async open(
    server: { readonly host: string; readonly port: number },
    port = 0,
  ): Promise<SipPeer> {
    const socket = createSocket('udp4')
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    return new SipPeer(socket, server)
  }

  get port(): number {
    return this.#socket.address().port
  }

  call(options: CallOptions): PeerCall {
    return new PeerCall(this, options)
  }

  send(text: string): void {
    this.#socket.send(text, this.#server.port, this.#server.host)
  }

  /** Sends a response to where the request came from. */
  reply(request: PeerMessage, text: string): void {
    const { host, port } = this.#sources.get(request) ?? this.#server
    this.#socket.send(text, port, host)
  }

  /** Waits for a message that was not taken before. */
  async next(matches: (message: PeerMessage) => boolean): Promise<PeerMessage> {
    const deadline = Date.now() + WAIT_MS
    for (;;) {
      const at = this.#received.findIndex(matches)
      const [found] = at < 0 ? [] : this.#received.splice(at, 1)
      if (found !== undefined) return found
      const leftMs = deadline - Date.now()
      if (leftMs <= 0) {
        const seen = this.#received.map((message) => message.firstLine).join(', ')
        throw new Error(`the message did not come within ${WAIT_MS} ms; came: ${seen || 'nothing'}`)
      }
      await this.#waiters.next(leftMs)
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#socket.close(resolve))
    return this.#closed
  }

  #take(text: string, source: { readonly host: string; readonly port: number }): void {
    const message = parseMessage(text)
    this.#sources.set(message, source)
    if (message.status === 0 && this.answers.has(message.method)) this.respond(message, 200)
    this.#received.push(message)
    this.#waiters.wake()
  }

  respond(request: PeerMessage, status: number, extra: readonly string[] = [], body = ''): void {
    const copied = ['via', 'from', 'to', 'call-id', 'cseq'].map(
      (name) => `${name}: ${request.headers.get(name) ?? ''}`,
    )
    const length = `Content-Length: ${Buffer.byteLength(body)}`
    const lines = [`SIP/2.0 ${status} Answer`, ...copied, ...extra, length, '', body]
    this.reply(request, lines.join('\r\n'))
  }
}

/** One dialog of the peer's, from its INVITE on. */
export class PeerCall {
  readonly #peer: SipPeer
  readonly #options: CallOptions
  readonly fromTag: string
  #toTag = ''
  #target: string
  #sequence = 0
  #inviteBranch = ''

  constructor(peer: SipPeer, options: CallOptions) {
    this.#peer = peer
    this.#options = options
    this.fromTag = options.fromTag ?? `t${Math.random().toString(16).slice(2)}`
    this.#target = options.to ?? 'sip:recorder@127.0.0.1'
  }

  get toTag(): string {
    return this.#toTag
  }

  get callId(): string {
    return this.#options.callId
  }

  /** Sends the INVITE and waits for its final response, which is acknowledged. */
  async invite(): Promise<PeerMessage> {
    this.sendInvite()
    return this.answered()
  }

  sendInvite(changes: Partial<CallOptions> = {}): void {
    this.#inviteBranch = this.request('INVITE', { ...this.#options, ...changes })
  }

  /** Acknowledges a reliable provisional response (RFC 3262 §4). */
  pracks(response: PeerMessage): void {
    this.#toTag = /tag=([^;>\s]+)/.exec(response.headers.get('to') ?? '')?.[1] ?? ''
    const contact = /<([^>]+)>/.exec(response.headers.get('contact') ?? '')?.[1]
    if (contact !== undefined) this.#target = contact
    const invited = response.headers.get('cseq') ?? ''
    this.request('PRACK', { headers: [`RAck: ${response.headers.get('rseq')} ${invited}`] })
  }

  /** Waits for the INVITE's final response and acknowledges it. */
  async answered(ackBody = ''): Promise<PeerMessage> {
    const response = await this.response('INVITE')
    this.ack(response, ackBody)
    return response
  }

  /** Waits for the final response to the last request of the method. */
  async response(method: string): Promise<PeerMessage> {
    const cseq = `${this.#sequence} ${method}`
    return this.#peer.next(
      (message) =>
        message.status >= 200 &&
        message.headers.get('call-id') === this.callId &&
        (message.headers.get('cseq') ?? '').endsWith(method) &&
        (method === 'CANCEL' || method === 'INVITE' || message.headers.get('cseq') === cseq),
    )
  }

  ack(response: PeerMessage, body = ''): void {
    this.#toTag = /tag=([^;>\s]+)/.exec(response.headers.get('to') ?? '')?.[1] ?? ''
    const contact = /<([^>]+)>/.exec(response.headers.get('contact') ?? '')?.[1]
    if (response.status < 300 && contact !== undefined) this.#target = contact
    const number = Number.parseInt(response.headers.get('cseq') ?? '0', 10)
    // The ACK of a failure belongs to the INVITE's transaction, that of a success is one of its own.
    const branch = response.status < 300 ? undefined : this.#inviteBranch
    this.#send('ACK', { number, ...(branch === undefined ? {} : { branch }), body })
  }

  cancel(): void {
    this.#send('CANCEL', { number: this.#sequence, branch: this.#inviteBranch })
  }

  /** Sends a request of the dialog and tells its branch. */
  request(method: string, options: Partial<CallOptions> = {}): string {
    this.#sequence++
    const branch = this.#send(method, {
      number: this.#sequence,
      headers: options.headers ?? [],
      body: options.body ?? '',
      contentType: options.contentType ?? 'application/sdp',
      ...(options.maxForwards === undefined ? {} : { maxForwards: options.maxForwards }),
      ...(options.from === undefined ? {} : { from: options.from }),
    })
    if (method === 'INVITE') this.#inviteBranch = branch
    return branch
  }

  /** Sends a re-INVITE and waits for its answer, which is acknowledged. */
  async reinvite(options: Partial<CallOptions>): Promise<PeerMessage> {
    this.request('INVITE', options)
    return this.answered()
  }

  async bye(options: Partial<CallOptions> = {}): Promise<PeerMessage> {
    this.request('BYE', options)
    return this.response('BYE')
  }

  /** Answers a re-INVITE of the server's. */
  accept(invite: PeerMessage, body: string, status = 200): void {
    const contact = `Contact: <sip:client@127.0.0.1:${this.#peer.port}>`
    const type = body === '' ? [] : ['Content-Type: application/sdp']
    this.#peer.respond(invite, status, [contact, ...type], body)
  }

  /** Waits for a request of the server's within this dialog. */
  received(method: string): Promise<PeerMessage> {
    return this.#peer.next(
      (message) => message.method === method && message.headers.get('call-id') === this.callId,
    )
  }

  #send(
    method: string,
    options: {
      readonly number: number
      readonly branch?: string
      readonly headers?: readonly string[]
      readonly body?: string
      readonly contentType?: string
      readonly maxForwards?: number
      readonly from?: string
    },
  ): string {
    const branch = options.branch ?? `z9hG4bK${Math.random().toString(16).slice(2)}`
    const body = options.body ?? ''
    const { to = 'sip:recorder@127.0.0.1', isPlain = false } = this.#options
    const { from = 'sip:client@127.0.0.1' } = { ...this.#options, ...options }
    const lines = [
      `${method} ${method === 'CANCEL' ? to : this.#target} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.#peer.port};branch=${branch};rport`,
      `Max-Forwards: ${options.maxForwards ?? 70}`,
      `From: <${from}>;tag=${this.fromTag}`,
      `To: <${to}>${this.#toTag === '' || method === 'CANCEL' ? '' : `;tag=${this.#toTag}`}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${options.number} ${method}`,
      ...(method === 'INVITE' || method === 'UPDATE'
        ? [`Contact: <sip:client@127.0.0.1:${this.#peer.port}>${isPlain ? '' : ';+sip.src'}`]
        : []),
      ...(method === 'INVITE' && !isPlain ? ['Require: siprec'] : []),
      ...(options.headers ?? []),
      ...(body === '' ? [] : [`Content-Type: ${options.contentType ?? 'application/sdp'}`]),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ]
    this.#peer.send(lines.join('\r\n'))
    return branch
  }
}

export function parseMessage(text: string): PeerMessage {
  const end = text.indexOf('\r\n\r\n')
  const [firstLine = '', ...lines] = text.slice(0, end < 0 ? text.length : end).split('\r\n')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim())
  }
  const isResponse = firstLine.startsWith('SIP/2.0 ')
  return {
    firstLine,
    headers,
    body: end < 0 ? '' : text.slice(end + 4),
    status: isResponse ? Number(firstLine.slice(8, 11)) : 0,
    method: isResponse ? '' : (firstLine.split(' ')[0] ?? ''),
  }
}
