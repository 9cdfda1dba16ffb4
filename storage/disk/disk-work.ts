import {
  accessSync,
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { hasCode } from '../../base/has-code.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type {
  Appended,
  DiskFailure,
  DiskOrder,
  DiskOrderOf,
  DiskResults,
  DiskRoom,
  Erased,
  FileFacts,
  FolderNames,
} from './disk.ts'
import { moveFile } from './move-file.ts'

const PROBE_BYTES = Buffer.alloc(4096, 'Tallenne looks whether this disk can be written. ')

/**
 * The files that one client has open, and the work on them. Every call may block for as long as the disk does, so it
 * belongs on a thread of its own.
 */
export class DiskWork {
  /** Descriptors by path. */
  readonly #open = new Map<string, number>()

  /** Throws what the file system throws. */
  carryOut(order: DiskOrder): DiskResults[DiskOrder['kind']] {
    switch (order.kind) {
      case 'open':
        return this.#openNew(order.path)
      case 'append':
        return append(this.#open.get(order.path) ?? this.#openAgain(order), order)
      case 'finish':
        return this.#finish(order)
      case 'abandon':
        return this.#abandon(order)
      case 'move':
        return moveFile(order)
      case 'read':
        return read(order)
      case 'place':
        makeFolder(dirname(order.path), 0o700)
        writeFileSync(order.path, order.content, { mode: 0o600 })
        return undefined
      case 'erase':
        return order.paths.map(erase)
      case 'facts':
        return factsOf(order.path)
      case 'list':
        return list(order.folder)
      case 'probe':
        return probe(order.folder)
    }
  }

  /** Closes what is open, as it is. */
  close(): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor)
    this.#open.clear()
  }

  #openNew(path: string): undefined {
    // What a thread made that died before it said so is taken over.
    const flags = !this.#open.has(path) && isEmpty(path) ? 'r+' : 'wx'
    this.#open.set(path, openSync(path, flags, 0o600))
  }

  /** Opens a file that a thread had open which died, and cuts off what that wrote without saying so. */
  #openAgain({ path, position }: Pick<DiskOrderOf<'append'>, 'path' | 'position'>): number {
    const descriptor = openSync(path, 'r+')
    this.#open.set(path, descriptor)
    const { size } = fstatSync(descriptor)
    if (size < position) {
      throw new TallenneError('EIO', `${path} has ${size} bytes, and ${position} were written`)
    }
    ftruncateSync(descriptor, position)
    return descriptor
  }

  #finish({ path }: DiskOrderOf<'finish'>): undefined {
    const descriptor = this.#take(path)
    try {
      fdatasyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }

  #abandon({ path, keepBytes, wasOpened }: DiskOrderOf<'abandon'>): undefined {
    if (!this.#open.has(path) && !wasOpened) return
    const descriptor = this.#take(path)
    try {
      if (keepBytes === 0) unlinkSync(path)
      else ftruncateSync(descriptor, keepBytes)
      fdatasyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }

  /** For whoever closes it; one that a thread had open which died is opened again. */
  #take(path: string): number {
    const descriptor = this.#open.get(path) ?? openSync(path, 'r+')
    this.#open.delete(path)
    return descriptor
  }
}

function isEmpty(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === 0
}

function append(descriptor: number, { position, bytes }: DiskOrderOf<'append'>): Appended {
  let writtenBytes = 0
  try {
    while (writtenBytes < bytes.length) {
      const left = bytes.length - writtenBytes
      writtenBytes += writeSync(descriptor, bytes, writtenBytes, left, position + writtenBytes)
    }
    return { writtenBytes }
  } catch (error) {
    return { writtenBytes, failure: failureOf(error) }
  }
}

function read({ path, position, bytes }: DiskOrderOf<'read'>): Uint8Array {
  const descriptor = openSync(path, 'r')
  try {
    const buffer = new Uint8Array(bytes)
    let done = 0
    while (done < bytes) {
      const count = readSync(descriptor, buffer, done, bytes - done, position + done)
      if (count === 0) break
      done += count
    }
    return buffer.subarray(0, done)
  } finally {
    closeSync(descriptor)
  }
}

function erase(path: string): Erased {
  try {
    unlinkSync(path)
    return 'erased'
  } catch (error) {
    return hasCode(error, 'ENOENT') ? 'gone' : failureOf(error)
  }
}

function factsOf(path: string): FileFacts | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && { bytes: stat.size, modifiedAtMs: stat.mtimeMs }
}

function list(folder: string): FolderNames {
  const entries = readdirSync(folder, { withFileTypes: true })
  const namesOf = (some: typeof entries) => some.map(({ name }) => name)
  return {
    files: namesOf(entries.filter((entry) => entry.isFile())),
    folders: namesOf(entries.filter((entry) => entry.isDirectory())),
  }
}

/** Room alone proves nothing: a disk that was remounted read-only, or has failed, still tells how much it has. */
function probe(folder: string): DiskRoom {
  accessSync(folder, constants.W_OK)
  const path = join(folder, '.probe')
  const descriptor = openSync(path, 'w', 0o600)
  try {
    writeSync(descriptor, PROBE_BYTES)
    fdatasyncSync(descriptor)
  } finally {
    closeSync(descriptor)
    unlinkSync(path)
  }
  const { bavail, bsize, blocks, ffree, files } = statfsSync(folder)
  return {
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    freeFiles: ffree,
    totalFiles: files,
  }
}

/** What is told of an error across threads. */
export function failureOf(error: unknown): DiskFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
  return { code, message: messageOf(error) }
}
