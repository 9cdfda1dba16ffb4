import type { MediaAddress } from '../../recorder/recording-plan.ts'
import { RtpSender } from './rtp-sender.ts'
import { type PeerOrders, SipCaller } from './sip-caller.ts'
import { writeRecordingInvite, writeRecordingSdp } from './siprec-messages.ts'

const PACKET_MS = 20

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
  /** When the first packets go out, epoch milliseconds; the others follow every 20 ms. */
  readonly startedAtMs: number
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
  readonly #sip: SipCaller
  readonly #live = new Set<LiveCall>()
  readonly #timer: NodeJS.Timeout

  private constructor(sip: SipCaller) {
    this.#sip = sip
    this.#timer = setInterval(() => this.#sendDue(), 5)
  }

  /** `to` is the recorder's SIP address; an IPv4 address or a name that resolves to one. */
  static async open(to: { readonly host: string; readonly port: number }): Promise<SiprecCaller> {
    return new SiprecCaller(await SipCaller.open(to))
  }

  /** Rejects with `call_refused` where the answer is no 200, and `no_answer` where none comes in 32 s. */
  async place(spec: CallSpec): Promise<PlacedCall> {
    const { address } = this.#sip.local
    const callerSender = await RtpSender.open(address, spec.audio[0])
    const agentSender = await RtpSender.open(address, spec.audio[1])
    const senders = [callerSender, agentSender] as const
    const dialog = this.#sip.newDialog('src', spec.serviceNumber)
    const { caller, agent } = spec
    const rtpPorts = [callerSender.port, agentSender.port] as const
    const live: LiveCall = { senders, nextMs: 0 }
    let wasEnded = false
    let hasHungUp = false
    const orders: PeerOrders = {
      description: writeRecordingSdp(address, rtpPorts),
      moved: (media) => aimAt(senders, media),
      ended: () => {
        wasEnded = true
        this.#live.delete(live)
      },
    }
    try {
      const answered = await this.#sip.invite(
        dialog,
        (branch) => writeRecordingInvite(dialog, branch, { caller, agent, rtpPorts }),
        orders,
      )
      aimAt(senders, answered.media)
      live.nextMs = performance.now() + Math.random() * PACKET_MS
      const startedAtMs = performance.timeOrigin + live.nextMs
      this.#live.add(live)
      return {
        callId: dialog.callId,
        setupMs: answered.setupMs,
        startedAtMs,
        get sent() {
          return callerSender.sent + agentSender.sent
        },
        hangUp: async () => {
          if (hasHungUp) return
          hasHungUp = true
          this.#live.delete(live)
          try {
            if (!wasEnded) await answered.sayBye()
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

  /** Ends what is left without a BYE. */
  close(): void {
    clearInterval(this.#timer)
    for (const { senders } of this.#live) for (const sender of senders) sender.close()
    this.#live.clear()
    this.#sip.close()
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
}

function aimAt(senders: readonly RtpSender[], media: readonly MediaAddress[]): void {
  for (const [index, sender] of senders.entries()) sender.aim(media[index])
}
