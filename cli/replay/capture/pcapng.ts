import { TallenneError } from '../../../base/tallenne-error.ts'
import { BIG_ENDIAN, type ByteOrder, LITTLE_ENDIAN } from './byte-order.ts'
import type { CaptureNotes } from './capture-notes.ts'
import type { FileBytes } from './file-bytes.ts'
import type { Frame } from './frame.ts'
import { MOST_FRAME_BYTES } from './pcap.ts'

/** Type of a section header block: it reads the same in either byte order. */
export const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const OLD_PACKET = 2
const SIMPLE_PACKET = 3
const ENHANCED_PACKET = 6

const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const OPTION_END = 0
const OPTION_RESOLUTION = 9
const OPTION_OFFSET = 14
const MICROSECONDS = 6
const MOST_BLOCK_BYTES = 4 * MOST_FRAME_BYTES

interface Interface {
  readonly linkType: number
  readonly snapLength: number
  readonly ticksPerMs: number
  readonly offsetMs: number
}

type Block =
  | { readonly kind: 'block'; readonly type: number; readonly body: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'cut' }

/**
 * Reads the packets of a pcapng file (draft-ietf-opsawg-pcapng): of all its sections, each with its own byte order,
 * and of all their interfaces, each with its own link type and resolution.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                          block type                           |
 * |                      block total length                       |
 * |                     body, padded to 32 bits                   |
 * |                      block total length                       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export class PcapngReader {
  readonly #file: FileBytes
  readonly #notes: CaptureNotes
  #order: ByteOrder = LITTLE_ENDIAN
  #interfaces: Interface[] = []
  /** Of the packet that comes next, or that is being read. */
  #number = 1
  #lastAtMs = 0

  /** `file` stands at its beginning. */
  constructor(file: FileBytes, notes: CaptureNotes) {
    this.#file = file
    this.#notes = notes
  }

  /** Throws `unreadable_capture` with the number of the packet from which on nothing can be read. */
  *frames(): Generator<Frame> {
    for (;;) {
      const block = this.#nextBlock()
      if (block.kind === 'end') return
      if (block.kind === 'cut') {
        this.#notes.add('is cut: the capture ends within it', this.#number)
        return
      }
      const { type, body } = block
      if (type === INTERFACE) this.#addInterface(body)
      if (type !== ENHANCED_PACKET && type !== SIMPLE_PACKET && type !== OLD_PACKET) continue
      const frame = this.#readFrame(type, body)
      if (frame === undefined)
        this.#notes.add('is not whole, or of no known interface', this.#number)
      else yield frame
      this.#number++
    }
  }

  #nextBlock(): Block {
    const first = this.#file.take(8)
    if (first.length === 0) return { kind: 'end' }
    if (first.length < 8) return { kind: 'cut' }
    const isSection = first.readUInt32BE(0) === SECTION_HEADER
    const magic = isSection ? this.#file.take(4) : Buffer.alloc(0)
    if (isSection) {
      if (magic.length < 4) return { kind: 'cut' }
      this.#order = this.#orderBy(magic)
      this.#interfaces = []
    }
    const total = this.#order.uint32(first, 4)
    const bodyBytes = total - 12 - magic.length
    if (total % 4 !== 0 || bodyBytes < 0 || total > MOST_BLOCK_BYTES) throw this.#damaged()
    const rest = this.#file.take(bodyBytes + 4)
    if (rest.length < bodyBytes + 4) return { kind: 'cut' }
    const type = this.#order.uint32(first, 0)
    return { kind: 'block', type, body: rest.subarray(0, bodyBytes) }
  }

  #orderBy(magic: Buffer): ByteOrder {
    for (const order of [LITTLE_ENDIAN, BIG_ENDIAN]) {
      if (order.uint32(magic, 0) === BYTE_ORDER_MAGIC) return order
    }
    throw this.#damaged()
  }

  #damaged(): TallenneError {
    const where = `From packet ${this.#number} on`
    return new TallenneError('unreadable_capture', `${where} the capture is damaged.`)
  }

  /** Link type (2 bytes), reserved (2), snap length (4), options. */
  #addInterface(body: Buffer): void {
    if (body.length < 8) throw this.#damaged()
    const order = this.#order
    let resolution = MICROSECONDS
    let offsetMs = 0
    for (let at = 8; at + 4 <= body.length; ) {
      const code = order.uint16(body, at)
      const length = order.uint16(body, at + 2)
      if (code === OPTION_END || at + 4 + length > body.length) break
      if (code === OPTION_RESOLUTION && length >= 1) resolution = body.readUInt8(at + 4)
      if (code === OPTION_OFFSET && length >= 8) offsetMs = this.#uint64(body, at + 4) * 1000
      at += 4 + Math.ceil(length / 4) * 4
    }
    // The highest bit chooses between powers of two and of ten.
    const isBinary = resolution > 0x7f
    const ticksPerSecond = (isBinary ? 2 : 10) ** (resolution & 0x7f)
    this.#interfaces.push({
      linkType: order.uint16(body, 0),
      snapLength: order.uint32(body, 4),
      ticksPerMs: ticksPerSecond / 1000,
      offsetMs,
    })
  }

  /** A 64-bit number in the section's order. */
  #uint64(body: Buffer, at: number): number {
    const [high, low] = this.#order === LITTLE_ENDIAN ? [at + 4, at] : [at, at + 4]
    return this.#order.uint32(body, high) * 2 ** 32 + this.#order.uint32(body, low)
  }

  #readFrame(type: number, body: Buffer): Frame | undefined {
    const order = this.#order
    const isSimple = type === SIMPLE_PACKET
    const dataAt = isSimple ? 4 : 20
    if (body.length < dataAt) return undefined
    const interfaceId = isSimple
      ? 0
      : type === OLD_PACKET
        ? order.uint16(body, 0)
        : order.uint32(body, 0)
    const source = this.#interfaces[interfaceId]
    if (source === undefined) return undefined
    const wireLength = order.uint32(body, isSimple ? 0 : 16)
    const mostBytes = source.snapLength === 0 ? MOST_FRAME_BYTES : source.snapLength
    const captured = isSimple ? Math.min(wireLength, mostBytes) : order.uint32(body, 12)
    if (dataAt + captured > body.length) return undefined
    // A simple packet has no time of its own: it stands where the one before it does.
    if (!isSimple) {
      const ticks = order.uint32(body, 4) * 2 ** 32 + order.uint32(body, 8)
      this.#lastAtMs = source.offsetMs + ticks / source.ticksPerMs
    }
    return {
      number: this.#number,
      atMs: this.#lastAtMs,
      linkType: source.linkType,
      bytes: body.subarray(dataAt, dataAt + captured),
      wireLength,
    }
  }
}
