import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from './crc32.ts'

/** A place in the journal: what stands before it is in MariaDB, or set aside. */
export interface JournalPosition {
  readonly segment: number
  readonly offset: number
}

/** Where a segment is to be read from: its beginning, but where the position is within it. */
export function startIn(segment: number, position: JournalPosition | undefined): number {
  return position?.segment === segment ? position.offset : 0
}

const FILE = 'applied'
const LINE = /^([0-9a-f]{8}) ((\d{12}) (\d{15}))\n$/

/**
 * Keeps how far the journal was applied, in a file of one line beside the segments:
 *
 *     crc32 segment offset\n
 *
 * Always of one length and written over in place, so that a full disk has room for it. It is noted after the commit and
 * is never synced: where it is old or not whole, some entries are applied once more, which changes nothing.
 */
export class PositionFile {
  readonly #path: string
  #fd: number | undefined

  constructor(folder: string) {
    this.#path = join(folder, FILE)
  }

  /** Undefined where nothing was ever applied, or where it cannot be told. */
  read(): JournalPosition | undefined {
    try {
      const [, checksum = '', body = '', segment, offset] =
        LINE.exec(readFileSync(this.#path, 'latin1')) ?? []
      if (Number.parseInt(checksum, 16) !== crc32(Buffer.from(body))) return undefined
      return { segment: Number(segment), offset: Number(offset) }
    } catch {
      return undefined
    }
  }

  /** Never throws: without it the next start applies more than it must. */
  note({ segment, offset }: JournalPosition): void {
    const body = `${String(segment).padStart(12, '0')} ${String(offset).padStart(15, '0')}`
    const checksum = crc32(Buffer.from(body)).toString(16).padStart(8, '0')
    try {
      this.#fd ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600)
      writeSync(this.#fd, `${checksum} ${body}\n`, 0)
    } catch {
      this.close()
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
