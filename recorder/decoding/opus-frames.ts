/**
 * What the first byte of an Opus packet says (RFC 6716 §3.1): mode, bandwidth and length of its frames, whether they
 * are stereo, and how many there are.
 *
 *  0 1 2 3 4 5 6 7
 * +-+-+-+-+-+-+-+-+
 * | config  |s| c |
 * +-+-+-+-+-+-+-+-+
 */
export interface OpusFrame {
  /** The first byte of a packet that holds this frame alone. */
  readonly toc: number
  readonly frame: Uint8Array
}

/** Frame lengths by config, in samples at 8 kHz. */
const SILK = [80, 160, 320, 480]
const HYBRID = [80, 160]
const CELT = [20, 40, 80, 160]

/** Length of each of a packet's frames, in samples at 8 kHz. */
export function opusFrameSamples(toc: number): number {
  const config = toc >> 3
  if (config < 12) return SILK[config & 3] ?? 0
  if (config < 16) return HYBRID[config & 1] ?? 0
  return CELT[config & 3] ?? 0
}

/** How many frames a packet has; 0 where it is none. */
export function opusFrameCount(packet: Uint8Array): number {
  const toc = packet[0]
  if (toc === undefined) return 0
  if ((toc & 3) === 0) return 1
  if ((toc & 3) < 3) return 2
  return (packet[1] ?? 0) & 0x3f
}

/** The longest packet: 120 ms (RFC 6716 §3.2.5). */
const MOST_SAMPLES = 960
/** RFC 6716 §3.2.1. */
const MOST_FRAME_BYTES = 1275

/** The frames of a packet (RFC 6716 §3.2); none where its lengths do not fit. */
export function splitOpusPacket(packet: Uint8Array): readonly OpusFrame[] {
  const toc = packet[0]
  if (toc === undefined) return []
  const sizes = frameSizes(packet)
  if (sizes === undefined) return []
  const { lengths } = sizes
  if (lengths.length === 0 || lengths.length * opusFrameSamples(toc) > MOST_SAMPLES) return []
  if (lengths.some((length) => length < 0 || length > MOST_FRAME_BYTES)) return []
  let at = sizes.start
  return lengths.map((length) => {
    const frame = packet.subarray(at, at + length)
    at += length
    return { toc: toc & 0xfc, frame }
  })
}

interface FrameSizes {
  /** Where the first frame begins. */
  readonly start: number
  readonly lengths: readonly number[]
}

function frameSizes(packet: Uint8Array): FrameSizes | undefined {
  const rest = packet.length - 1
  switch ((packet[0] ?? 0) & 3) {
    case 0:
      return { start: 1, lengths: [rest] }
    case 1:
      return rest % 2 === 0 ? { start: 1, lengths: [rest / 2, rest / 2] } : undefined
    case 2: {
      const size = sizeAt(packet, 1)
      if (size === undefined) return undefined
      const start = 1 + size.bytes
      return { start, lengths: [size.length, packet.length - start - size.length] }
    }
    default:
      return manySizes(packet)
  }
}

/** A packet of any number of frames (code 3): a count, padding, and sizes of all frames but the last. */
function manySizes(packet: Uint8Array): FrameSizes | undefined {
  const head = packet[1] ?? 0
  const count = head & 0x3f
  let at = 2
  let padding = 0
  if ((head & 0x40) !== 0) {
    let more = 255
    while (more === 255) {
      more = packet[at++] ?? 0
      padding += more === 255 ? 254 : more
    }
  }
  if (count === 0) return undefined
  const lengths: number[] = []
  if ((head & 0x80) === 0) {
    const length = (packet.length - at - padding) / count
    return Number.isInteger(length) ? { start: at, lengths: Array(count).fill(length) } : undefined
  }
  let sum = 0
  for (let index = 1; index < count; index++) {
    const size = sizeAt(packet, at)
    if (size === undefined) return undefined
    at += size.bytes
    lengths.push(size.length)
    sum += size.length
  }
  return { start: at, lengths: [...lengths, packet.length - at - padding - sum] }
}

/** A frame's length in one byte or two (RFC 6716 §3.2.1). */
function sizeAt(packet: Uint8Array, at: number): { length: number; bytes: number } | undefined {
  const first = packet[at]
  if (first === undefined) return undefined
  if (first < 252) return { length: first, bytes: 1 }
  const second = packet[at + 1]
  return second === undefined ? undefined : { length: second * 4 + first, bytes: 2 }
}
