/** One block of a payload with redundancy: what an own packet would have carried. */
export interface RedundantBlock {
  readonly payloadType: number
  /** By how much its timestamp is before the packet's; 0 of the primary block. */
  readonly timestampOffset: number
  /** Within the payload. */
  readonly offset: number
  readonly length: number
}

/** Senders repeat one packet or two; more than this is nobody's. */
const MOST_BLOCKS = 16

/**
 * The blocks of a payload with redundancy (RED, RFC 2198 §3), the oldest first as they stand there, the primary last.
 * Undefined where the headers do not fit.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |F|   block PT  |  timestamp offset         |   block length    |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The last header is a byte: F is 0, and the block is all that is left.
 */
export function readRedundantBlocks(payload: Uint8Array): readonly RedundantBlock[] | undefined {
  const headers: { payloadType: number; timestampOffset: number; length: number }[] = []
  let at = 0
  for (;;) {
    const first = payload[at]
    if (first === undefined || headers.length === MOST_BLOCKS) return undefined
    if (first < 0x80) {
      headers.push({ payloadType: first, timestampOffset: 0, length: 0 })
      at++
      break
    }
    if (at + 4 > payload.length) return undefined
    const middle = payload[at + 2] ?? 0
    headers.push({
      payloadType: first & 0x7f,
      timestampOffset: ((payload[at + 1] ?? 0) << 6) | (middle >> 2),
      length: ((middle & 3) << 8) | (payload[at + 3] ?? 0),
    })
    at += 4
  }
  const redundant = headers.reduce((sum, { length }) => sum + length, 0)
  if (at + redundant > payload.length) return undefined
  const primaryLength = payload.length - at - redundant
  return headers.map((header, index) => {
    const length = index === headers.length - 1 ? primaryLength : header.length
    const offset = at
    at += length
    return { ...header, offset, length }
  })
}
