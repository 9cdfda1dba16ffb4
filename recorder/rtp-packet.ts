const FIXED_HEADER_BYTES = 12

/**
 * An RTP packet (RFC 3550 §5.1), read in place.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           timestamp                           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |           synchronization source (SSRC) identifier            |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |            contributing source (CSRC) identifiers             |
 * |                             ....                              |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |  defined by profile (X=1)     |      length in words          |
 * |                        header extension                       |
 * |                             ....                              |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * One object is read into again and again, so that a packet costs no allocation: its fields hold until the next
 * `read`, and offsets count from the start of the datagram.
 */
export class RtpPacket {
  datagram: Uint8Array = new Uint8Array(0)
  payloadType = 0
  hasMarker = false
  sequenceNumber = 0
  timestamp = 0
  ssrc = 0
  payloadOffset = 0
  payloadLength = 0

  /** Whether the datagram is RTP whose lengths all fit; where it is not, the fields are undefined. */
  read(datagram: Uint8Array): boolean {
    const size = datagram.length
    if (size < FIXED_HEADER_BYTES) return false
    const first = datagram[0] ?? 0
    if (first >> 6 !== 2) return false
    let offset = FIXED_HEADER_BYTES + (first & 0x0f) * 4
    if ((first & 0x10) !== 0) {
      if (offset + 4 > size) return false
      offset += 4 + uint16(datagram, offset + 2) * 4
    }
    if (offset > size) return false
    let padding = 0
    if ((first & 0x20) !== 0) {
      padding = datagram[size - 1] ?? 0
      if (padding === 0 || offset + padding > size) return false
    }
    const second = datagram[1] ?? 0
    this.datagram = datagram
    this.payloadType = second & 0x7f
    this.hasMarker = second > 0x7f
    this.sequenceNumber = uint16(datagram, 2)
    this.timestamp = uint32(datagram, 4)
    this.ssrc = uint32(datagram, 8)
    this.payloadOffset = offset
    this.payloadLength = size - offset - padding
    return true
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function uint32(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) * 0x10000 + uint16(bytes, at + 2)
}
