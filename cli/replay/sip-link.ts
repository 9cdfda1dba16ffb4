import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { TallenneError } from '../../base/tallenne-error.ts'
import { DEFAULT_LIMITS } from '../../gateway/sip-server/limits.ts'
import {
  headerValue,
  headerValues,
  parseHead,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../gateway/sip-server/sip-message.ts'
import type { Address } from '../up/address.ts'

/** T1 and T2 of RFC 3261 §17.1: requests over UDP are repeated after so long, then after twice as long, up to T2. */
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 4000
const GIVE_UP_MS = 32_000

interface Pending {
  readonly onFinal: (response: SipResponse) => void
  retry: NodeJS.Timeout | undefined
  readonly giveUp: NodeJS.Timeout
}

/** SIP over one UDP socket with a gateway: sends requests until they are answered, and answers the gateway's own. */
export class SipLink {
  readonly local: Address
  readonly gateway: Address
  readonly #socket: Socket
  readonly #pending = new Map<string, Pending>()
  readonly #onRequest = new Map<string, (request: SipRequest) => void>()

  private constructor(socket: Socket, gateway: Address) {
    const { address, port } = socket.address()
    this.local = { host: address, port }
    this.gateway = gateway
    this.#socket = socket
    socket.on('message', (datagram) => this.#receive(datagram.toString('latin1')))
    // A port that is closed shows as a request without an answer.
    socket.on('error', () => {})
  }

  static async open({ host, port }: Address): Promise<SipLink> {
    const { address, family } = await lookup(host).catch((error: unknown) => {
      throw new TallenneError('unusable_address', `${host} is no address of a gateway.`, {
        cause: error,
      })
    })
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    socket.connect(port, address)
    await once(socket, 'connect')
    return new SipLink(socket, { host: address, port })
  }

  newBranch(): string {
    return `z9hG4bK${randomBytes(8).toString('hex')}`
  }

  /** Has a dialog's requests handled, by its Call-ID. */
  listen(callId: string, onRequest: (request: SipRequest) => void): void {
    this.#onRequest.set(callId, onRequest)
  }

  /** Sends a request and resolves with its final answer. Rejects with `no_answer` where none comes in 32 s. */
  request(text: string, branch: string, method: string): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      const giveUp = setTimeout(() => {
        this.#forget(branch)
        reject(new TallenneError('no_answer', `The gateway did not answer ${method} in 32 s.`))
      }, GIVE_UP_MS)
      const pending: Pending = { onFinal: resolve, retry: undefined, giveUp }
      this.#pending.set(branch, pending)
      const sendAgain = (waitMs: number) => {
        this.send(text)
        pending.retry = setTimeout(sendAgain, waitMs, Math.min(LONGEST_RETRY_MS, waitMs * 2))
      }
      sendAgain(FIRST_RETRY_MS)
    })
  }

  /** Sends what is not repeated: an ACK, or an answer. */
  send(text: string): void {
    this.#socket.send(Buffer.from(text, 'latin1'))
  }

  /** Answers one of the gateway's requests with 200. */
  answer(
    request: SipRequest,
    {
      toTag,
      headers = [],
      body = '',
    }: { toTag: string; headers?: readonly string[]; body?: string },
  ): void {
    const to = headerValue(request, 'to') ?? ''
    this.send(
      [
        'SIP/2.0 200 OK',
        ...headerValues(request, 'via').map((value) => `Via: ${value}`),
        `From: ${headerValue(request, 'from') ?? ''}`,
        `To: ${/;\s*tag=/i.test(to) ? to : `${to};tag=${toTag}`}`,
        `Call-ID: ${headerValue(request, 'call-id') ?? ''}`,
        `CSeq: ${headerValue(request, 'cseq') ?? ''}`,
        ...headers,
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    )
  }

  close(): void {
    for (const branch of [...this.#pending.keys()]) this.#forget(branch)
    this.#socket.close()
  }

  #receive(text: string): void {
    const head = parseHead(text, DEFAULT_LIMITS)
    if (head.kind !== 'head') return
    const message: SipMessage = { ...head.message, body: text.slice(head.bodyStart) }
    if (message.kind === 'request') {
      this.#onRequest.get(headerValue(message, 'call-id') ?? '')?.(message)
      return
    }
    const branch = /;\s*branch=([^;\s,]+)/i.exec(headerValue(message, 'via') ?? '')?.[1] ?? ''
    const pending = this.#pending.get(branch)
    if (pending === undefined) return
    // A provisional answer says that it came.
    clearTimeout(pending.retry)
    if (message.status < 200) return
    this.#forget(branch)
    pending.onFinal(message)
  }

  #forget(branch: string): void {
    const pending = this.#pending.get(branch)
    if (pending === undefined) return
    clearTimeout(pending.retry)
    clearTimeout(pending.giveUp)
    this.#pending.delete(branch)
  }
}
