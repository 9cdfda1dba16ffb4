/** What an Ogg Opus file says about itself (RFC 3533, RFC 7845). */
export interface OggFacts {
  readonly channels: number
  readonly mappingFamily: number
  readonly streams: number
  readonly coupledStreams: number
  /** Samples at 48 kHz to leave out at the beginning. */
  readonly preSkip: number
  readonly inputSampleRateHz: number
  readonly pages: number
  /** Played length, milliseconds. */
  readonly durationMs: number
  readonly bytes: number
  /** Of the whole file, containers' overhead included. */
  readonly bitrateBps: number
  /** Whether the last page says that it is the last. */
  readonly isEnded: boolean
}

export type OggOutcome =
  | { readonly kind: 'read'; readonly facts: OggFacts }
  | { readonly kind: 'wrong'; readonly reason: string }

const PAGE_HEADER_BYTES = 27
const LAST_PAGE = 0x04

/** Walks over all pages of a file. Never throws. */
export function readOggFacts(file: Uint8Array): OggOutcome {
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  let offset = 0
  let pages = 0
  let granulePosition48k = 0
  let isEnded = false
  let head: ReturnType<typeof readHead>
  while (offset < view.length) {
    const where = `page ${pages} at byte ${offset}`
    if (view.length - offset < PAGE_HEADER_BYTES) return wrong(`${where} is cut in its header`)
    if (view.toString('latin1', offset, offset + 4) !== 'OggS') return wrong(`${where} is no page`)
    const segments = view.readUInt8(offset + 26)
    const bodyStart = offset + PAGE_HEADER_BYTES + segments
    if (bodyStart > view.length) return wrong(`${where} is cut in its header`)
    const bodyBytes = view
      .subarray(offset + PAGE_HEADER_BYTES, bodyStart)
      .reduce((sum, lacing) => sum + lacing, 0)
    if (bodyStart + bodyBytes > view.length) return wrong(`${where} is cut`)
    if (pages === 0) {
      head = readHead(view.subarray(bodyStart, bodyStart + bodyBytes))
      if (!head) return wrong('the first page holds no OpusHead')
    }
    const granule = view.readBigInt64LE(offset + 6)
    // -1 marks a page on which no packet ends (RFC 3533 §6).
    if (granule >= 0n) granulePosition48k = Number(granule)
    isEnded = (view.readUInt8(offset + 5) & LAST_PAGE) !== 0
    offset = bodyStart + bodyBytes
    pages++
  }
  if (!head) return wrong('the file is empty')
  const durationMs = Math.max(0, granulePosition48k - head.preSkip) / 48
  const bytes = view.length
  const bitrateBps = durationMs === 0 ? 0 : Math.round((bytes * 8000) / durationMs)
  return { kind: 'read', facts: { ...head, pages, durationMs, bytes, bitrateBps, isEnded } }
}

/** The identification header (RFC 7845 §5.1), undefined where this is none. */
function readHead(packet: Buffer) {
  if (packet.length < 19 || packet.toString('latin1', 0, 8) !== 'OpusHead') return undefined
  const channels = packet.readUInt8(9)
  const mappingFamily = packet.readUInt8(18)
  const hasTable = mappingFamily !== 0
  if (hasTable && packet.length < 21 + channels) return undefined
  return {
    channels,
    preSkip: packet.readUInt16LE(10),
    inputSampleRateHz: packet.readUInt32LE(12),
    mappingFamily,
    streams: hasTable ? packet.readUInt8(19) : 1,
    coupledStreams: hasTable ? packet.readUInt8(20) : channels - 1,
  }
}

function wrong(reason: string): OggOutcome {
  return { kind: 'wrong', reason }
}
