/** What a receiver report says of one source (RFC 3550 §6.4.1). */
export interface ReportBlock {
  readonly ssrc: number
  /** Fraction lost since the last report, in 1/256. */
  readonly fractionLost: number
  readonly cumulativeLost: number
  readonly highestSequence: number
  /** In timestamp units. */
  readonly jitter: number
  /** Middle bits of the last sender report's NTP time, 0 for none. */
  readonly lastSenderReport: number
  /** Since that report, in 1/65536 s. */
  readonly delaySinceLast: number
}

const RECEIVER_REPORT = 201
const SOURCE_DESCRIPTION = 202
const LARGEST_LOSS = 0x7fffff

/**
 * A compound packet of receiver report and source description (RFC 3550 §6.1), the CNAME being its only item.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|   RC    |   PT=RR=201   |             length            |
 * |                     SSRC of packet sender                     |
 * |                 SSRC_1 (SSRC of first source)                 |
 * | fraction lost |       cumulative number of packets lost       |
 * |           extended highest sequence number received           |
 * |                      interarrival jitter                      |
 * |                         last SR (LSR)                         |
 * |                   delay since last SR (DLSR)                  |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function writeReceiverReport(
  ssrc: number,
  block: ReportBlock | undefined,
  cname: string,
): Buffer {
  const reportBytes = block === undefined ? 8 : 32
  const name = Buffer.from(cname, 'utf8').subarray(0, 255)
  // The item list ends with at least one zero and is filled up to a word (§6.5).
  const chunkBytes = (4 + 2 + name.length + 4) & ~3
  const packet = Buffer.alloc(reportBytes + 4 + chunkBytes)
  packet[0] = 0x80 | (block === undefined ? 0 : 1)
  packet[1] = RECEIVER_REPORT
  packet.writeUInt16BE(reportBytes / 4 - 1, 2)
  packet.writeUInt32BE(ssrc, 4)
  if (block !== undefined) writeBlock(packet, block)
  packet[reportBytes] = 0x81
  packet[reportBytes + 1] = SOURCE_DESCRIPTION
  packet.writeUInt16BE(chunkBytes / 4, reportBytes + 2)
  packet.writeUInt32BE(ssrc, reportBytes + 4)
  packet[reportBytes + 8] = 1
  packet[reportBytes + 9] = name.length
  name.copy(packet, reportBytes + 10)
  return packet
}

function writeBlock(packet: Buffer, block: ReportBlock): void {
  const lost = Math.max(-LARGEST_LOSS - 1, Math.min(LARGEST_LOSS, block.cumulativeLost))
  packet.writeUInt32BE(block.ssrc, 8)
  packet[12] = block.fractionLost
  packet.writeIntBE(lost, 13, 3)
  packet.writeUInt32BE(block.highestSequence >>> 0, 16)
  packet.writeUInt32BE(Math.min(0xffffffff, Math.round(block.jitter)), 20)
  packet.writeUInt32BE(block.lastSenderReport >>> 0, 24)
  packet.writeUInt32BE(block.delaySinceLast >>> 0, 28)
}
