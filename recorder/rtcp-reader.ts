const SENDER_REPORT = 200
const SOURCE_DESCRIPTION = 202
const GOODBYE = 203
const CNAME = 1

/** What a compound RTCP packet says that a receiver acts on. */
export interface RtcpFacts {
  /** The last sender report in it (RFC 3550 §6.4.1). */
  readonly senderReport: SenderReport | undefined
  readonly cname: string | undefined
  /** SSRCs that say goodbye (§6.6). Their streams may start again; nothing is closed for it. */
  readonly goodbyes: readonly number[]
  /** Packets in the compound, whatever their type: RR, APP, RTPFB, PSFB and XR are counted here alone. */
  readonly packets: number
  /** False where the rest after the last whole packet was unreadable. */
  readonly isWhole: boolean
}

export interface SenderReport {
  readonly ssrc: number
  /** The middle 32 bits of its NTP timestamp, which a receiver report gives back as LSR. */
  readonly ntpMiddle: number
  readonly rtpTimestamp: number
}

/**
 * Reads a compound RTCP packet tolerantly: each packet that is whole counts, and reading ends at the first that is not.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|  count  |  packet type  |        length in words - 1    |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Does not ask for a sender or receiver report first (RFC 5506), nor for a CNAME.
 */
export function readRtcp(datagram: Uint8Array): RtcpFacts {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  const goodbyes: number[] = []
  let senderReport: SenderReport | undefined
  let cname: string | undefined
  let packets = 0
  let at = 0
  while (at + 4 <= view.byteLength) {
    const first = view.getUint8(at)
    const end = at + 4 + view.getUint16(at + 2) * 4
    if (first >> 6 !== 2 || end > view.byteLength) break
    const count = first & 0x1f
    switch (view.getUint8(at + 1)) {
      case SENDER_REPORT:
        senderReport = readSenderReport(view, at, end) ?? senderReport
        break
      case SOURCE_DESCRIPTION:
        cname = readCname(datagram, at + 4, end) ?? cname
        break
      case GOODBYE:
        for (let ssrcAt = at + 4; goodbyes.length < count && ssrcAt + 4 <= end; ssrcAt += 4) {
          goodbyes.push(view.getUint32(ssrcAt))
        }
        break
    }
    packets++
    at = end
  }
  return { senderReport, cname, goodbyes, packets, isWhole: at === view.byteLength && packets > 0 }
}

function readSenderReport(view: DataView, at: number, end: number): SenderReport | undefined {
  if (at + 20 > end) return undefined
  return {
    ssrc: view.getUint32(at + 4),
    ntpMiddle: (view.getUint16(at + 10) * 0x10000 + view.getUint16(at + 12)) >>> 0,
    rtpTimestamp: view.getUint32(at + 16),
  }
}

/** The CNAME of the first chunk (§6.5.1): SSRC, then items of type, length and text up to a zero. */
function readCname(datagram: Uint8Array, from: number, end: number): string | undefined {
  let at = from + 4
  while (at + 2 <= end) {
    const type = datagram[at] ?? 0
    const length = datagram[at + 1] ?? 0
    if (type === 0 || at + 2 + length > end) return undefined
    if (type === CNAME) {
      return Buffer.from(datagram.buffer, datagram.byteOffset + at + 2, length).toString('utf8')
    }
    at += 2 + length
  }
  return undefined
}
