/** What a datagram on a media port may be. `keepAlive` covers all of RFC 6263 that is told by its first bytes. */
export type DatagramKind = 'rtp' | 'rtcp' | 'keepAlive' | 'stun' | 'zrtp' | 'dtls' | 'unknown'

const STUN_HEAD_BYTES = 20

/**
 * Tells kinds apart by the first byte (RFC 7983 §7), and RTCP from RTP by the second (RFC 5761 §4).
 *
 * | first byte | kind |
 * |---|---|
 * | none | empty datagram: a keep-alive |
 * | 0–3 | STUN where its length is that of one, else RTP of version 0: a keep-alive (RFC 6263 §4.2) |
 * | 4–15 | reserved, so that it can only be RTP of version 0 |
 * | 16–19 | ZRTP |
 * | 20–63 | DTLS |
 * | 64–79 | TURN channel |
 * | 128–191 | RTP, or RTCP where the second byte is 192–223 |
 */
export function classifyDatagram(datagram: Uint8Array): DatagramKind {
  const first = datagram[0]
  if (first === undefined) return 'keepAlive'
  if (first < 16) return first < 4 && isStun(datagram) ? 'stun' : 'keepAlive'
  if (first < 20) return 'zrtp'
  if (first < 64) return 'dtls'
  if (first < 128 || first > 191) return 'unknown'
  const second = datagram[1] ?? 0
  return second >= 192 && second <= 223 ? 'rtcp' : 'rtp'
}

/** Its length stands behind its type, and does not count the head (RFC 8489 §5, and RFC 3489 §11.1 before it). */
function isStun(datagram: Uint8Array): boolean {
  const length = ((datagram[2] ?? 0) << 8) | (datagram[3] ?? 0)
  return datagram.length === STUN_HEAD_BYTES + length
}
