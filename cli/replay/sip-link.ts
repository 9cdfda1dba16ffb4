import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import type { Address } from '../../base/address.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import {
  headerValue,
  headerValues,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../gateway/sip-server/sip-message.ts'
import { openCarrier, type SipCarrier, type SipTransport } from './sip-carrier.ts'

/** T1 and T2 of RFC 3261 §17.1: requests over UDP are repeated after so long, then after twice as long, up to T2. */
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 4000
const GIVE_UP_MS = 32_000

interface Pending {
  readonly onFinal: (response: SipResponse) => void
  readonly onFailed: (how: string) => void
  retry: NodeJS.Timeout | undefined
  readonly giveUp: NodeJS.Timeout
}

/** SIP with a gateway: sends requests until they are answered, and answers the gateway's own. */
export class SipLink {
  readonly transport: SipTransport
  readonly gateway: Address
  readonly #carrier: SipCarrier
  readonly #pending = new Map<string, Pending>()
  readonly #onRequest = new Map<string, (request: SipRequest) => void>()

  private constructor(transport: SipTransport, gateway: Address, carrier: SipCarrier) {
    this.transport = transport
    this.gateway = gateway
    this.#carrier = carrier
    carrier.hear(
      (message) => this.#take(message),
      () => this.#lost(),
    )
  }

  /** Rejects with `unusable_address`, or over TCP with `no_answer`. */
  static async open({ host, port }: Address, transport: SipTransport = 'udp'): Promise<SipLink> {
    const { address, family } = await lookup(host).catch((error: unknown) => {
      throw new TallenneError('unusable_address', `${host} is no address of a gateway.`, {
        cause: error,
      })
    })
    const gateway = { host: address, port }
    return new SipLink(transport, gateway, await openCarrier(transport, { ...gateway, family }))
  }

  get local(): Address {
    return this.#carrier.local
  }

  newBranch(): string {
    return `z9hG4bK${randomBytes(8).toString('hex')}`
  }

  /** Has a dialog's requests handled, by its Call-ID. */
  listen(callId: string, onRequest: (request: SipRequest) => void): void {
    this.#onRequest.set(callId, onRequest)
  }

  /**
   * Sends a request and resolves with its final answer. Rejects with `no_answer` where none comes in 32 s, or the
   * connection ends first.
   */
  request(text: string, branch: string, method: string): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      const onFailed = (how: string) => {
        this.#forget(branch)
        reject(new TallenneError('no_answer', `The gateway did not answer ${method} ${how}.`))
      }
      const giveUp = setTimeout(onFailed, GIVE_UP_MS, 'in 32 s')
      const pending: Pending = { onFinal: resolve, onFailed, retry: undefined, giveUp }
      this.#pending.set(branch, pending)
      this.send(text)
      if (this.transport === 'tcp') return
      const sendAgain = (waitMs: number) => {
        this.send(text)
        pending.retry = setTimeout(sendAgain, waitMs, Math.min(LONGEST_RETRY_MS, waitMs * 2))
      }
      pending.retry = setTimeout(sendAgain, FIRST_RETRY_MS, FIRST_RETRY_MS * 2)
    })
  }

  /** Sends what is not repeated: an ACK, or an answer. */
  send(text: string): void {
    this.#carrier.send(text)
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
    this.#carrier.close()
  }

  #take(message: SipMessage): void {
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

  #lost(): void {
    for (const pending of [...this.#pending.values()]) {
      pending.onFailed('before the connection ended')
    }
  }

  #forget(branch: string): void {
    const pending = this.#pending.get(branch)
    if (pending === undefined) return
    clearTimeout(pending.retry)
    clearTimeout(pending.giveUp)
    this.#pending.delete(branch)
  }
}
