import { createHash } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { hasCode } from '../../base/has-code.ts'
import { partOf } from '../store-file.ts'
import type { FileMove, FileMoved, FilePlaces } from './disk.ts'

const PIECE_BYTES = 256 * 1024
const LOOKS = 2

/**
 * Moves a file as `Disk` says. A copy that is not what the SHA-256 is of is made a second time, and kept all the same
 * where it comes out so again, since what is left of a recording is worth more than none.
 *
 * Safe at each step: until the rename only `.part` is there, which the next attempt writes anew; until the removal both
 * files are, and the next attempt copies once more; after it there is nothing left to do.
 */
export function moveFile({ choices, ...expected }: FileMove): FileMoved {
  const places =
    choices.find(({ from }) => isThere(from)) ?? choices.find(({ to }) => isThere(to)) ?? choices[0]
  if (places === undefined) throw new RangeError('there is nothing to move')
  const { from, to, leftover } = places
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
  const isChanged = isThere(to) && !isThere(from) ? false : bringOver(places, expected)
  syncFolder(dirname(to))
  // Only now is the copy's name on the disk for good.
  rmSync(from, { force: true })
  if (leftover !== undefined) rmSync(leftover, { force: true })
  return { movedTo: to, isChanged }
}

type Expected = Omit<FileMove, 'choices'>

/** Tells whether the file has changed. */
function bringOver(places: FilePlaces, expected: Expected): boolean {
  const { from, to } = places
  if (expected.bytes !== undefined) cutTo(from, expected.bytes)
  try {
    renameSync(from, to)
  } catch (error) {
    // Across disks, whether the file is there or not.
    if (!hasCode(error, 'EXDEV')) throw error
    return copyAcross(places, expected)
  }
  return false
}

/** Cuts off what a disk that hung wrote late. Before the move, so that an attempt that breaks off leaves it to the next. */
function cutTo(path: string, bytes: number): void {
  if (statSync(path).size <= bytes) return
  const file = openSync(path, 'r+')
  try {
    ftruncateSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function copyAcross({ from, to }: FilePlaces, expected: Expected): boolean {
  const part = partOf(to)
  let isChanged = true
  for (let look = 0; look < LOOKS && isChanged; look++) isChanged = copyTo(part, from, expected)
  renameSync(part, to)
  return isChanged
}

function copyTo(part: string, from: string, { bytes, sha256 }: Expected): boolean {
  const source = openSync(from, 'r')
  try {
    const target = openSync(part, 'w', 0o600)
    try {
      const found = copyBytes(source, target, bytes ?? fstatSync(source).size)
      fsyncSync(target)
      return sha256 !== undefined && found !== sha256
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}

/** Tells the SHA-256 of what was copied. */
function copyBytes(source: number, target: number, length: number): string {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  for (let position = 0; position < length; ) {
    const read = readSync(source, piece, 0, Math.min(PIECE_BYTES, length - position), position)
    if (read === 0) break
    hash.update(piece.subarray(0, read))
    for (let written = 0; written < read; ) {
      written += writeSync(target, piece, written, read - written)
    }
    position += read
  }
  return hash.digest('hex')
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
