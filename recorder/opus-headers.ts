/** libopus delays what it codes by 6.5 ms at every rate (`OPUS_GET_LOOKAHEAD`): 312 samples at 48 kHz. */
export const OPUS_PRE_SKIP_48K = 312

/**
 * The identification header (RFC 7845 §5.1) of two mono streams, none coupled, the caller's first: channel mapping
 * family 1, so that every player takes them for left and right.
 *
 * Two coupled channels would let one party be heard in the other's channel at low rates.
 */
export function opusHead(inputSampleRate: number): Uint8Array {
  const head = Buffer.alloc(23)
  head.write('OpusHead', 0, 'latin1')
  head[8] = 1 // version
  head[9] = 2 // channels
  head.writeUInt16LE(OPUS_PRE_SKIP_48K, 10)
  head.writeUInt32LE(inputSampleRate, 12)
  head.writeInt16LE(0, 16) // output gain
  head[18] = 1 // mapping family
  head[19] = 2 // streams
  head[20] = 0 // coupled streams
  head[21] = 0
  head[22] = 1
  return head
}

/** The comment header (RFC 7845 §5.2). Comments are `NAME=value` and never hold what identifies a person. */
export function opusTags(vendor: string, comments: readonly string[]): Uint8Array {
  const texts = [vendor, ...comments].map((text) => Buffer.from(text, 'utf8'))
  const parts: Buffer[] = [Buffer.from('OpusTags', 'latin1')]
  for (const [index, text] of texts.entries()) {
    parts.push(uint32(text.length), text)
    if (index === 0) parts.push(uint32(comments.length))
  }
  return Buffer.concat(parts)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
