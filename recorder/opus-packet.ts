/**
 * Writes a packet of one frame (code 0) in self-delimited framing (RFC 6716 appendix B) and returns where it ends:
 * the length stands behind the TOC, in one byte up to 251 and in two above.
 *
 * `room` has at least two bytes more than the packet. Throws where the packet is not of one frame, which this
 * encoder never makes.
 */
export function writeSelfDelimited(packet: Uint8Array, room: Uint8Array, at: number): number {
  const toc = packet[0] ?? 0
  if ((toc & 3) !== 0) throw new RangeError(`Opus packet with frame count code ${toc & 3}, not 0`)
  const frameBytes = packet.length - 1
  room[at] = toc
  let next = at + 1
  if (frameBytes < 252) {
    room[next++] = frameBytes
  } else {
    // length = 4 * second + first, the first being 252 to 255
    const first = 252 + (frameBytes & 3)
    room[next++] = first
    room[next++] = (frameBytes - first) >> 2
  }
  for (let index = 1; index <= frameBytes; index++) room[next++] = packet[index] ?? 0
  return next
}
