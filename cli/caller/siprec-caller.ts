import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { TallenneError } from '../../base/tallenne-error.ts'
import { RtpSender } from './rtp-sender.ts'
import { readSipAnswer, type SipAnswer } from './sip-answer.ts'
import { type CallerDialog, writeInDialog, writeInvite } from './siprec-messages.ts'

const PACKET_MS = 20
/** T1 of RFC 3261 §17.1.1.1: requests over UDP are repeated after so long, then after twice as long. */
const FIRST_RETRY_MS = 500
const GIVE_UP_MS = 32_000

export interface CallSpec {
  readonly caller: string
  readonly agent: string
  readonly serviceNumber: string
  /** µ-law at 8 kHz: what the caller and the agent say. Each starts again at its end. */
  readonly audio: readonly [Uint8Array, Uint8Array]
}

/** A recording session that was answered. */
export interface PlacedCall {
  readonly callId: string
  /** From sending the INVITE to its 200, milliseconds. */
  readonly setupMs: number
  /** RTP packets sent on both streams. */
  readonly sent: number
  /** Stops the media and ends the session by BYE; resolves when that was answered. */
  hangUp(): Promise<void>
}

interface LiveCall {
  readonly senders: readonly [RtpSender, RtpSender]
  nextMs: number
}

/**
 * A recording client over UDP that places calls for the demonstration and the bench: one signalling socket,
 * two RTP sockets for each call, one timer for the packets of all of them.
 */
export class SiprecCaller {
  readonly #socket: Socket
  readonly #local: { readonly address: string; readonly port: number }
  readonly #to: { readonly host: string; readonly port: number }
  readonly #pending = new Map<string, (answer: SipAnswer) => void>()
  readonly #live = new Set<LiveCall>()
  readonly #timer: NodeJS.Timeout

  private constructor(
    socket: Socket,
    local: { readonly address: string; readonly port: number },
    to: { readonly host: string; readonly port: number },
  ) {
    this.#socket = socket
    this.#local = local
    this.#to = to
    socket.on('message', (datagram) => this.#receive(datagram.toString('utf8')))
    // A port that is closed shows as a request without an answer.
    socket.on('error', () => {})
    this.#timer = setInterval(() => this.#sendDue(), 5)
  }

  /** `to` is the recorder's SIP address; an IPv4 address or a name that resolves to one. */
  static async open(to: { readonly host: string; readonly port: number }): Promise<SiprecCaller> {
    if (isIPv6(to.host))
      throw new TallenneError('unusable_address', `${to.host}: the caller speaks IPv4 only`)
    const socket = createSocket('udp4')
    socket.connect(to.port, to.host)
    await once(socket, 'connect')
    const { address, port } = socket.address()
    return new SiprecCaller(socket, { address, port }, to)
  }

  /** Rejects with `call_refused` where the answer is no 200, and `no_answer` where none comes in 32 s. */
  async place(spec: CallSpec): Promise<PlacedCall> {
    const { address } = this.#local
    const callerSender = await RtpSender.open(address, spec.audio[0])
    const agentSender = await RtpSender.open(address, spec.audio[1])
    const senders = [callerSender, agentSender] as const
    const dialog: CallerDialog = {
      callId: `${randomBytes(8).toString('hex')}@${address}`,
      fromTag: randomBytes(4).toString('hex'),
      caller: spec.caller,
      agent: spec.agent,
      serviceNumber: spec.serviceNumber,
      local: this.#local,
      target: `${this.#to.host}:${this.#to.port}`,
      rtpPorts: [callerSender.port, agentSender.port],
    }
    try {
      const invitedMs = performance.now()
      const branch = newBranch()
      const answer = await this.#request(dialog.callId, 'INVITE', writeInvite(dialog, branch))
      const setupMs = performance.now() - invitedMs
      if (answer.status !== 200 || answer.remoteTarget === null) {
        // The ACK of a refusal belongs to the INVITE's own transaction (RFC 3261 §17.1.1.3).
        const remoteTarget = `sip:recorder@${dialog.target}`
        this.#send(
          writeInDialog(dialog, {
            method: 'ACK',
            remoteTarget,
            branch,
            cseq: 1,
            toTag: answer.toTag,
          }),
        )
        throw new TallenneError(
          'call_refused',
          `the recorder answered ${answer.status} ${answer.reason}`,
        )
      }
      const { remoteTarget, toTag } = answer
      const inDialog = { remoteTarget, toTag }
      this.#send(
        writeInDialog(dialog, { ...inDialog, method: 'ACK', branch: newBranch(), cseq: 1 }),
      )
      answer.media.slice(0, 2).forEach((peer, index) => {
        senders[index]?.aim(peer)
      })
      const live: LiveCall = { senders, nextMs: performance.now() + Math.random() * PACKET_MS }
      this.#live.add(live)
      return {
        callId: dialog.callId,
        setupMs,
        get sent() {
          return callerSender.sent + agentSender.sent
        },
        hangUp: async () => {
          if (!this.#live.delete(live)) return
          const bye = { ...inDialog, method: 'BYE', branch: newBranch(), cseq: 2 } as const
          try {
            await this.#request(dialog.callId, 'BYE', writeInDialog(dialog, bye))
          } finally {
            for (const sender of senders) sender.close()
          }
        },
      }
    } catch (error) {
      for (const sender of senders) sender.close()
      throw error
    }
  }

  /** Ends what is left without a BYE. Idempotent. */
  close(): void {
    clearInterval(this.#timer)
    for (const { senders } of this.#live) for (const sender of senders) sender.close()
    this.#live.clear()
    this.#socket.close()
  }

  #sendDue(): void {
    const nowMs = performance.now()
    for (const live of this.#live) {
      while (live.nextMs <= nowMs) {
        for (const sender of live.senders) sender.sendNext()
        live.nextMs += PACKET_MS
      }
    }
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
    if (!answer || answer.status < 200) return
    this.#pending.get(`${answer.callId} ${answer.cseqMethod}`)?.(answer)
  }

  #send(message: string): void {
    this.#socket.send(message)
  }
}

function newBranch(): string {
  return randomBytes(8).toString('hex')
}
