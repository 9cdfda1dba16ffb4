import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { MediaAddress } from '../../recorder/recording-plan.ts'
import { type PeerRequest, readPeerRequest, writeReply } from './peer-request.ts'
import { readSipAnswer, type SipAnswer } from './sip-answer.ts'
import { type CallerDialog, writeInDialog } from './sip-messages.ts'

/** T1 of RFC 3261 §17.1.1.1: requests over UDP are repeated after so long, then after twice as long. */
const FIRST_RETRY_MS = 500
const GIVE_UP_MS = 32_000

/** A dialog whose INVITE was answered with 200 and acknowledged. */
export interface AnsweredDialog {
  /** From sending the INVITE to its 200, milliseconds. */
  readonly setupMs: number
  /** Where the peer takes media, a place for each m-line. */
  readonly media: readonly MediaAddress[]
  /** Ends the dialog; resolves when the BYE was answered, and rejects with `no_answer` where it is not. */
  sayBye(): Promise<void>
}

/** What a dialog does with the peer's own requests. */
export interface PeerOrders {
  /** Our description, which answers the peer's offers. */
  readonly description: string
  /** The peer takes media elsewhere from now on. */
  moved(media: readonly MediaAddress[]): void
  /** The peer said BYE. */
  ended(): void
}

/** Begins and ends calls over one UDP socket of its own; for the demonstration, the bench and the drills. */
export class SipCaller {
  readonly local: { readonly address: string; readonly port: number }
  readonly #socket: Socket
  readonly #target: string
  readonly #pending = new Map<string, (answer: SipAnswer) => void>()
  /** By Call-ID: dialogs that are up and want to know what the peer asks. */
  readonly #orders = new Map<string, PeerOrders>()

  private constructor(socket: Socket, to: { readonly host: string; readonly port: number }) {
    const { address, port } = socket.address()
    this.local = { address, port }
    this.#socket = socket
    this.#target = `${to.host}:${to.port}`
    socket.on('message', (datagram) => this.#receive(datagram.toString('utf8')))
    // A port that is closed shows as a request without an answer.
    socket.on('error', () => {})
  }

  /** `to` is the peer's SIP address; an IPv4 address or a name that resolves to one. */
  static async open(to: { readonly host: string; readonly port: number }): Promise<SipCaller> {
    if (isIPv6(to.host))
      throw new TallenneError('unusable_address', `${to.host}: the caller speaks IPv4 only`)
    const socket = createSocket('udp4')
    socket.connect(to.port, to.host)
    await once(socket, 'connect')
    return new SipCaller(socket, to)
  }

  /** A dialog that is still to begin. */
  newDialog(from: string, to: string): CallerDialog {
    return {
      callId: `${randomBytes(8).toString('hex')}@${this.local.address}`,
      fromTag: randomBytes(4).toString('hex'),
      from,
      to,
      local: this.local,
      target: this.#target,
    }
  }

  /**
   * Sends the INVITE that `write` makes with a branch. Rejects with `call_refused` where the answer is no 200, and
   * with `no_answer` where none comes in 32 s. Requests of the peer inside the dialog are answered as `orders` say.
   */
  async invite(
    dialog: CallerDialog,
    write: (branch: string) => string,
    orders?: PeerOrders,
  ): Promise<AnsweredDialog> {
    const invitedMs = performance.now()
    const branch = newBranch()
    const message = write(branch)
    const answer = await this.#request(dialog.callId, 'INVITE', message)
    const setupMs = performance.now() - invitedMs
    const { status, reason, remoteTarget, toTag, media } = answer
    if (status !== 200 || remoteTarget === null) {
      // The ACK of a refusal belongs to the INVITE's own transaction (RFC 3261 §17.1.1.3).
      const requestUri = message.split(' ', 2)[1] ?? ''
      const refused = { remoteTarget: requestUri, branch, cseq: 1, toTag }
      this.#send(writeInDialog(dialog, { ...refused, method: 'ACK' }))
      throw new TallenneError('call_refused', `the call was answered with ${status} ${reason}`)
    }
    if (orders !== undefined) this.#orders.set(dialog.callId, orders)
    const inDialog = { remoteTarget, toTag }
    this.#send(writeInDialog(dialog, { ...inDialog, method: 'ACK', branch: newBranch(), cseq: 1 }))
    return {
      setupMs,
      media,
      sayBye: async () => {
        this.#orders.delete(dialog.callId)
        const bye = { ...inDialog, method: 'BYE', branch: newBranch(), cseq: 2 } as const
        await this.#request(dialog.callId, 'BYE', writeInDialog(dialog, bye))
      },
    }
  }

  /** Dialogs that are up are left as they are. */
  close(): void {
    this.#socket.close()
  }

  async #request(callId: string, method: string, message: string): Promise<SipAnswer> {
    const key = `${callId} ${method}`
    let retry: NodeJS.Timeout | undefined
    try {
      return await new Promise<SipAnswer>((resolve, reject) => {
        this.#pending.set(key, resolve)
        const startedMs = performance.now()
        const sendAgain = (waitMs: number) => {
          if (performance.now() - startedMs > GIVE_UP_MS) {
            reject(
              new TallenneError('no_answer', `no answer to ${method} in ${GIVE_UP_MS / 1000} s`),
            )
            return
          }
          this.#send(message)
          retry = setTimeout(sendAgain, waitMs, waitMs * 2)
        }
        sendAgain(FIRST_RETRY_MS)
      })
    } finally {
      clearTimeout(retry)
      this.#pending.delete(key)
    }
  }

  #receive(text: string): void {
    const answer = readSipAnswer(text)
    if (answer !== null && answer.status >= 200) {
      this.#pending.get(`${answer.callId} ${answer.cseqMethod}`)?.(answer)
    }
    const request = readPeerRequest(text)
    if (request !== null && request.method !== 'ACK') this.#obey(request)
  }

  #obey(request: PeerRequest): void {
    const orders = this.#orders.get(request.callId)
    const status = orders === undefined && request.method !== 'OPTIONS' ? 481 : 200
    const description = orders?.description ?? ''
    this.#send(writeReply(request, { status, local: this.local, description }))
    if (request.media.length > 0) orders?.moved(request.media)
    if (request.method !== 'BYE') return
    this.#orders.delete(request.callId)
    orders?.ended()
  }

  #send(message: string): void {
    this.#socket.send(message)
  }
}

function newBranch(): string {
  return randomBytes(8).toString('hex')
}
