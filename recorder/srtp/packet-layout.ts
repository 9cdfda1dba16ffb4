import type { KeyContext } from './key-context.ts'
import type { PacketPlace } from './transform.ts'

const RTP_HEAD_BYTES = 12
/** The E flag and the index of RTCP. */
const INDEX_BYTES = 4
/** Header and SSRC of the first RTCP packet stay in the clear (RFC 3711 §3.4). */
export const RTCP_HEAD_BYTES = 8
const ENCRYPTED_FLAG = 0x8000_0000

/** A place to fill in. */
export function newPlace(): PacketPlace {
  return {
    ssrc: 0,
    index: 0,
    headBytes: 0,
    bodyEnd: 0,
    tagAt: 0,
    tagBytes: 0,
    isEncrypted: true,
  }
}

/**
 * Where the parts of a protected RTP packet are. False where they do not fit or the key's identifier is another.
 *
 *     counter mode   header | body | MKI | tag      (RFC 3711 §3.1)
 *     GCM            header | body | tag | MKI      (RFC 7714 §8.2)
 */
export function locateRtp(
  packet: Uint8Array,
  { suite, mki }: KeyContext,
  place: PacketPlace,
): boolean {
  const { tagBytes } = suite
  const isGcm = suite.mode === 'gcm'
  const bodyEnd = packet.length - tagBytes - mki.length
  const headBytes = rtpHeadBytes(packet, bodyEnd)
  if (headBytes < 0) return false
  place.ssrc = word(packet, 8)
  place.headBytes = headBytes
  place.bodyEnd = bodyEnd
  place.tagAt = isGcm ? bodyEnd : packet.length - tagBytes
  place.tagBytes = tagBytes
  place.isEncrypted = true
  return isThere(packet, mki, isGcm ? packet.length - mki.length : bodyEnd)
}

/**
 * Where the parts of a protected RTCP packet with a tag of that length are, and its index.
 *
 *     counter mode   header | body | E and index | MKI | tag    (RFC 3711 §3.4)
 *     GCM            header | body | tag | E and index | MKI    (RFC 7714 §9.2)
 */
export function locateRtcp(
  packet: Uint8Array,
  { suite, mki }: KeyContext,
  { place, tagBytes }: { readonly place: PacketPlace; readonly tagBytes: number },
): boolean {
  const isGcm = suite.mode === 'gcm'
  const bodyEnd = packet.length - tagBytes - mki.length - INDEX_BYTES
  if (bodyEnd < RTCP_HEAD_BYTES) return false
  const number = word(packet, isGcm ? bodyEnd + tagBytes : bodyEnd)
  place.ssrc = word(packet, 4)
  place.index = number % ENCRYPTED_FLAG
  place.headBytes = RTCP_HEAD_BYTES
  place.bodyEnd = bodyEnd
  place.tagAt = isGcm ? bodyEnd : packet.length - tagBytes
  place.tagBytes = tagBytes
  place.isEncrypted = number >= ENCRYPTED_FLAG
  return isThere(packet, mki, isGcm ? packet.length - mki.length : bodyEnd + INDEX_BYTES)
}

/** Makes room for what protects a clear RTCP packet, and numbers it. */
export function layOutRtcp(
  packet: Uint8Array,
  { suite, rtcp }: KeyContext,
  place: PacketPlace,
): Buffer {
  const { tagBytes } = rtcp
  const bodyEnd = packet.length
  const sealed = Buffer.alloc(bodyEnd + INDEX_BYTES + tagBytes)
  sealed.set(packet)
  const isGcm = suite.mode === 'gcm'
  const number = place.index + (place.isEncrypted ? ENCRYPTED_FLAG : 0)
  sealed.writeUInt32BE(number, isGcm ? bodyEnd + tagBytes : bodyEnd)
  place.ssrc = word(packet, 4)
  place.headBytes = RTCP_HEAD_BYTES
  place.bodyEnd = bodyEnd
  place.tagAt = isGcm ? bodyEnd : bodyEnd + INDEX_BYTES
  place.tagBytes = tagBytes
  return sealed
}

/** Length of an RTP header with its sources and its extension (RFC 3550 §5.1); negative where it does not fit. */
export function rtpHeadBytes(packet: Uint8Array, end: number): number {
  const first = packet[0] ?? 0
  if (end < RTP_HEAD_BYTES || first >> 6 !== 2) return -1
  let bytes = RTP_HEAD_BYTES + (first & 0x0f) * 4
  if ((first & 0x10) !== 0) {
    if (bytes + 4 > end) return -1
    bytes += 4 + (((packet[bytes + 2] ?? 0) << 8) | (packet[bytes + 3] ?? 0)) * 4
  }
  return bytes > end ? -1 : bytes
}

/** The 32-bit number at a place. */
export function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) * 0x100_0000 +
    (((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0))
  )
}

function isThere(packet: Uint8Array, expected: Uint8Array, at: number): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (packet[at + index] !== expected[index]) return false
  }
  return true
}
