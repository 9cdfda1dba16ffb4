import { statfsSync } from 'node:fs'
import { messageOf } from '../../base/tallenne-error.ts'

/** A call of an hour takes some ten MiB; where less than this is free, the calls that are up need it. */
const LEAST_FREE_BYTES = 64 * 1024 * 1024

export interface RecordingNeeds {
  /** Where open recordings are written. */
  readonly spoolPath: string
  /** What is wrong with the journal's disk; undefined where nothing is. */
  readonly journalError: () => string | undefined
  /** Bytes that a process without privileges may still write there; as the kernel tells it by default. Throws. */
  readonly freeBytes?: (path: string) => number
}

/**
 * Why a call that begins now could not be recorded or would leave no contact; undefined where it can. A database that
 * is away is no obstacle: the journal keeps what it is to get.
 */
export function recordingObstacle(needs: RecordingNeeds): string | undefined {
  const { spoolPath, journalError, freeBytes = freeBytesOf } = needs
  const error = journalError()
  if (error !== undefined) return `the journal cannot be written: ${error}`
  try {
    const free = freeBytes(spoolPath)
    if (free < LEAST_FREE_BYTES) return `only ${free} bytes are free for open recordings`
  } catch (failure) {
    return `the folder of open recordings cannot be used: ${messageOf(failure)}`
  }
  return undefined
}

function freeBytesOf(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}
