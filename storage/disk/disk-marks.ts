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

/** Judges the room by bytes and by files, whichever is scarcer. */
export function judgeRoom(
  room: DiskRoom,
  disk: {
    readonly marks: DiskMarks
    readonly openRecordings: number
    readonly wasFull: boolean
  },
): RoomJudgement {
  const { warnFreeBytes, refuseFreeBytes } = marksOf(room, disk.marks, disk.openRecordings)
  const { freeFiles, totalFiles } = room
  const least = disk.wasFull ? RELIEF : 1
  const countsFiles = totalFiles > 0
  const fewestFiles = Math.min(1000, totalFiles * 0.02) + disk.openRecordings
  if (room.freeBytes < refuseFreeBytes * least) return 'full'
  if (countsFiles && freeFiles < fewestFiles * least) return 'full'
  if (room.freeBytes < warnFreeBytes) return 'low'
  if (countsFiles && freeFiles < Math.min(10_000, totalFiles * 0.1)) return 'low'
  return 'well'
}

function within(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}
