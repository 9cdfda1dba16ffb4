import type { DiskRoom } from './disk.ts'

/** Free space, in bytes, below which a disk is told of, and below which no new recording begins. */
export interface DiskMarks {
  readonly warnFreeBytes?: number | undefined
  readonly refuseFreeBytes?: number | undefined
}

/** How a disk's room is to be judged. */
export type RoomJudgement = 'well' | 'low' | 'full'

const MIB = 1024 ** 2
const GIB = 1024 ** 3
/** An hour of a call takes some ten MiB: the calls that are up are to have that. */
const BYTES_OF_AN_HOUR = 10 * MIB
/** A disk that was full takes recordings again when it has so much more than it needs. */
const RELIEF = 1.1

/** The marks of a disk of this size on which so many recordings are open. */
export function marksOf(
  { totalBytes }: DiskRoom,
  configured: DiskMarks,
  openRecordings: number,
): { readonly warnFreeBytes: number; readonly refuseFreeBytes: number } {
  const needed = openRecordings * BYTES_OF_AN_HOUR
  return {
    warnFreeBytes:
      configured.warnFreeBytes ?? within(totalBytes * 0.1, 256 * MIB, 10 * GIB) + needed,
    refuseFreeBytes:
      configured.refuseFreeBytes ?? within(totalBytes * 0.03, 64 * MIB, GIB) + needed,
  }
}

/** What is asked of a disk. */
export interface DiskUse {
  readonly marks: DiskMarks
  readonly openRecordings: number
  readonly wasFull: boolean
}

/** What must be free on the disk for another recording to begin. */
export function roomNeeded(
  room: DiskRoom,
  { marks, openRecordings, wasFull }: DiskUse,
): { readonly bytes: number; readonly files: number } {
  const { refuseFreeBytes } = marksOf(room, marks, openRecordings)
  const { totalFiles } = room
  const files = totalFiles > 0 ? Math.min(1000, totalFiles * 0.02) + openRecordings : 0
  const least = wasFull ? RELIEF : 1
  return { bytes: Math.ceil(refuseFreeBytes * least), files: Math.ceil(files * least) }
}

/** Judges the room by bytes and by files, whichever is scarcer. */
export function judgeRoom(room: DiskRoom, use: DiskUse): RoomJudgement {
  const { freeBytes, freeFiles, totalFiles } = room
  const needed = roomNeeded(room, use)
  if (freeBytes < needed.bytes || freeFiles < needed.files) return 'full'
  if (freeBytes < marksOf(room, use.marks, use.openRecordings).warnFreeBytes) return 'low'
  if (totalFiles > 0 && freeFiles < Math.min(10_000, totalFiles * 0.1)) return 'low'
  return 'well'
}

function within(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}
