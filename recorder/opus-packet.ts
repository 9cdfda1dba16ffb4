/** What self-delimiting adds to a packet at most. */
export const FRAMING_BYTES = 2
/** What a guarded end adds besides. */
export const GUARD_BYTES = 4

/** A code 3 packet of one frame, with padding (RFC 6716 §3.2.5). */
const CODE_3 = 3
const ONE_FRAME_PADDED = 0x41
/** The encoder drops one zero byte of 256, two of 65,536. */
const PADDING = 2
/** TOC configurations from here on are hybrid or CELT (RFC 6716 §3.1). */
const FIRST_NOT_SILK = 12

/**
 * Writes a packet of one frame (code 0) in self-delimited framing (RFC 6716 appendix B) and returns where it ends:
 * the length stands behind the TOC, in one byte up to 251 and in two above.
 *
 * `room` has at least `FRAMING_BYTES` more than the packet. Throws where the packet is not of one frame, which this
 * encoder never makes.
 */
export function writeSelfDelimited(packet: Uint8Array, room: Uint8Array, at: number): number {
  room[at] = tocOf(packet)
  return writeFrame(packet, room, at + 1)
}

/**
 * As `writeSelfDelimited`, with zeros behind the frame if it is SILK's, for decoders that read on there. `room` has
 * `GUARD_BYTES` more (docs/decisions/027-zeros-behind-the-first-channel.md).
 */
export function writeGuarded(packet: Uint8Array, room: Uint8Array, at: number): number {
  const toc = tocOf(packet)
  if (toc >> 3 >= FIRST_NOT_SILK) return writeSelfDelimited(packet, room, at)
  room[at] = toc | CODE_3
  room[at + 1] = ONE_FRAME_PADDED
  room[at + 2] = PADDING
  const end = writeFrame(packet, room, at + 3)
  room.fill(0, end, end + PADDING)
  return end + PADDING
}

function tocOf(packet: Uint8Array): number {
  const toc = packet[0] ?? 0
  if ((toc & 3) !== 0) throw new RangeError(`Opus packet with frame count code ${toc & 3}, not 0`)
  return toc
}

/** The frame behind its length. */
function writeFrame(packet: Uint8Array, room: Uint8Array, at: number): number {
  const frameBytes = packet.length - 1
  let next = at
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
