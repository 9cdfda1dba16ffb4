/** What a datagram on a media port may be. `keepAlive` covers all of RFC 6263 that is told by its first bytes. */
export type DatagramKind = 'rtp' | 'rtcp' | 'keepAlive' | 'unknown'

/**
 * Tells kinds apart by the first byte (RFC 7983 §7), and RTCP from RTP by the second (RFC 5761 §4).
 *
 * | first byte | kind |
 * |---|---|
 * | none, or 0–3 | empty datagram or STUN: a keep-alive |
 * | 4–15 | reserved, but an RTP version 0 packet is a keep-alive too (RFC 6263 §4.2) |
 * | 16–19 | ZRTP |
 * | 20–63 | DTLS |
 * | 64–79 | TURN channel |
 * | 128–191 | RTP, or RTCP where the second byte is 192–223 |
 */
export function classifyDatagram(datagram: Uint8Array): DatagramKind {
  const first = datagram[0]
  if (first === undefined || first < 16) return 'keepAlive'
  if (first < 128 || first > 191) return 'unknown'
  const second = datagram[1] ?? 0
  return second >= 192 && second <= 223 ? 'rtcp' : 'rtp'
}
