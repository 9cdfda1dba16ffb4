import { TallenneError } from '../../../base/tallenne-error.ts'
import { BIG_ENDIAN, LITTLE_ENDIAN } from './byte-order.ts'
import type { CaptureNotes } from './capture-notes.ts'
import { FileBytes } from './file-bytes.ts'
import type { Frame } from './frame.ts'
import { readPcap } from './pcap.ts'
import { PcapngReader, SECTION_HEADER } from './pcapng.ts'

/** How finely packets are stamped, by the magic number. */
const TICKS_PER_MS: ReadonlyMap<number, number> = new Map([
  [0xa1b2c3d4, 1000],
  [0xa1b23c4d, 1_000_000],
])
const GZIP = 0x1f8b
const ZSTANDARD = 0x28b52ffd

/**
 * All packets of a capture file, pcap or pcapng, in the file's order. Throws `unreadable_capture` where it is neither,
 * or is damaged; a file that ends within a packet is read up to there, and noted.
 */
export function* readFrames(path: string, notes: CaptureNotes): Generator<Frame> {
  const file = FileBytes.open(path)
  try {
    const magic = file.peek(4)
    if (magic.length < 4) throw noCapture(path, 'it is empty')
    if (magic.readUInt32BE(0) === SECTION_HEADER) {
      yield* new PcapngReader(file, notes).frames()
      return
    }
    for (const order of [LITTLE_ENDIAN, BIG_ENDIAN]) {
      const ticksPerMs = TICKS_PER_MS.get(order.uint32(magic, 0))
      if (ticksPerMs === undefined) continue
      yield* readPcap(file, { order, ticksPerMs, notes })
      return
    }
    const isCompressed = magic.readUInt16BE(0) === GZIP || magic.readUInt32BE(0) === ZSTANDARD
    throw noCapture(
      path,
      isCompressed
        ? 'it is compressed: unpack it first'
        : `it begins with ${magic.toString('hex')}, as neither pcap nor pcapng does`,
    )
  } finally {
    file.close()
  }
}

function noCapture(path: string, why: string): TallenneError {
  return new TallenneError('unreadable_capture', `${path} is no capture: ${why}.`)
}
