export interface RtpFields {
  readonly payloadType?: number
  readonly marker?: boolean
  readonly sequenceNumber?: number
  readonly timestamp?: number
  readonly ssrc?: number
  readonly csrcs?: readonly number[]
  /** Words of a header extension. */
  readonly extension?: readonly number[]
  readonly padding?: number
  readonly payload?: Uint8Array
}

/** Builds an RTP packet (RFC 3550 §5.1); numbers wrap by themselves. */
export function rtp(fields: RtpFields = {}): Buffer {
  const { csrcs = [], extension, padding = 0, payload = new Uint8Array(160).fill(0xff) } = fields
  const header = Buffer.alloc(12 + csrcs.length * 4)
  header[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (extension === undefined ? 0 : 0x10) | csrcs.length
  header[1] = (fields.payloadType ?? 0) | (fields.marker === true ? 0x80 : 0)
  header.writeUInt16BE((fields.sequenceNumber ?? 1) & 0xffff, 2)
  header.writeUInt32BE((fields.timestamp ?? 0) >>> 0, 4)
  header.writeUInt32BE((fields.ssrc ?? 0x1234) >>> 0, 8)
  for (const [index, csrc] of csrcs.entries()) header.writeUInt32BE(csrc, 12 + index * 4)
  const parts: Uint8Array[] = [header]
  if (extension !== undefined) {
    const bytes = Buffer.alloc(4 + extension.length * 4)
    bytes.writeUInt16BE(0xbede, 0)
    bytes.writeUInt16BE(extension.length, 2)
    for (const [index, word] of extension.entries()) bytes.writeUInt32BE(word >>> 0, 4 + index * 4)
    parts.push(bytes)
  }
  parts.push(payload)
  if (padding > 0) {
    const bytes = new Uint8Array(padding)
    bytes[padding - 1] = padding
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}
