import { randomBytes, randomInt } from 'node:crypto'
import type { Socket } from 'node:dgram'
import type { MediaSource } from './media-source.ts'
import type { MediaAddress } from './recording-plan.ts'
import { readRtcp } from './rtcp-reader.ts'
import { writeReceiverReport } from './rtcp-writer.ts'
import type { SocketPair } from './rtp-sockets.ts'
import type { StreamProtection } from './srtp/stream-protection.ts'
import type { SsrcReception } from './ssrc-reception.ts'

/** RFC 3550 §6.2: five seconds, randomised by half. */
const REPORT_EVERY_MS = 5000

/** RTCP of one stream that ends here: hears its sender's reports and answers them with ours. */
export class RtcpSession {
  readonly #sockets: SocketPair
  readonly #source: MediaSource
  readonly #protection: StreamProtection
  readonly #ownSsrc = randomInt(2 ** 32)
  /** Fresh for every stream, so that it identifies nobody (RFC 7022 §4.2). */
  readonly #cname = randomBytes(12).toString('base64')
  #peer: (MediaAddress & { readonly socket: Socket }) | undefined
  #reportAtMs = 0

  /** `source` is asked who sends the media. */
  constructor(options: {
    readonly sockets: SocketPair
    readonly source: MediaSource
    readonly protection: StreamProtection
  }) {
    this.#sockets = options.sockets
    this.#source = options.source
    this.#protection = options.protection
  }

  /** Takes RTCP that came from an address to one of the sockets. */
  hear(
    datagram: Uint8Array,
    from: MediaAddress & { readonly socket: Socket },
    { reception, nowMs }: { readonly reception: SsrcReception | undefined; readonly nowMs: number },
  ): void {
    // Reports go back only to the host that sends the media (no reflection).
    if (from.address !== this.#source.address?.address) return
    this.#peer = from
    const { senderReport } = readRtcp(datagram)
    if (senderReport !== undefined && senderReport.ssrc === reception?.ssrc) {
      reception.hear(senderReport, nowMs)
    }
  }

  /** Sends a receiver report where one is due. Called every batch. */
  reportIfDue(nowMs: number, reception: SsrcReception | undefined): void {
    const address = this.#source.address
    if (address === undefined || nowMs < this.#reportAtMs) return
    const isFirst = this.#reportAtMs === 0
    this.#reportAtMs = nowMs + REPORT_EVERY_MS * (0.5 + Math.random())
    if (isFirst) return
    const report = this.#protection.sealRtcp(
      writeReceiverReport(this.#ownSsrc, reception?.report(nowMs), this.#cname),
    )
    const peer = this.#peer ?? {
      address: address.address,
      port: address.port + 1,
      socket: this.#sockets.rtcp,
    }
    if (report === undefined || peer.port > 65_535) return
    peer.socket.send(report, peer.port, peer.address, () => {})
  }
}
