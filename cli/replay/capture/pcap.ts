import { TallenneError } from '../../../base/tallenne-error.ts'
import type { ByteOrder } from './byte-order.ts'
import type { CaptureNotes } from './capture-notes.ts'
import type { FileBytes } from './file-bytes.ts'
import type { Frame } from './frame.ts'

/** More than any link carries in one piece: what says that it is larger is not a packet. */
export const MOST_FRAME_BYTES = 1_048_576

const FILE_HEADER_BYTES = 24
const PACKET_HEADER_BYTES = 16

/**
 * The packets of a pcap file (draft-ietf-opsawg-pcap).
 *
 * File header: magic (4 bytes), major and minor version (2 each), reserved (8), snap length (4), link type (4, its
 * upper half being about frame check sequences). Packet header: seconds, fractions, captured length, length (4 each).
 *
 * Throws `unreadable_capture` with the packet's number where a length makes no sense.
 */
export function* readPcap(
  file: FileBytes,
  { order, ticksPerMs, notes }: { order: ByteOrder; ticksPerMs: number; notes: CaptureNotes },
): Generator<Frame> {
  const header = file.take(FILE_HEADER_BYTES)
  if (header.length < FILE_HEADER_BYTES) {
    throw new TallenneError('unreadable_capture', 'The capture ends within its file header.')
  }
  const linkType = order.uint32(header, 20) & 0xffff
  for (let number = 1; ; number++) {
    const fields = file.take(PACKET_HEADER_BYTES)
    if (fields.length === 0) return
    const captured = fields.length < PACKET_HEADER_BYTES ? 0 : order.uint32(fields, 8)
    if (captured > MOST_FRAME_BYTES) {
      throw new TallenneError(
        'unreadable_capture',
        `Packet ${number} says that it is ${captured} bytes long: the capture is damaged there.`,
      )
    }
    const bytes = file.take(captured)
    if (fields.length < PACKET_HEADER_BYTES || bytes.length < captured) {
      notes.add('is cut: the capture ends within it', number)
      return
    }
    const atMs = order.uint32(fields, 0) * 1000 + order.uint32(fields, 4) / ticksPerMs
    yield { number, atMs, linkType, bytes, wireLength: order.uint32(fields, 12) }
  }
}
