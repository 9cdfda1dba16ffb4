import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode } from '../base/has-code.ts'
import { journalOwner } from './journal-lock.ts'
import { PositionFile, startIn } from './journal-position.ts'
import { listSegments, type SegmentLine, SegmentReader, segmentName } from './journal-segment.ts'
import { SetAsideFolder, setAsidePath } from './set-aside.ts'

/** How a journal stands on the disk, whether or not its gateway runs. */
export interface JournalSurvey {
  /** The process that has it now. */
  readonly ownerPid: number | undefined
  /** Entries that were appended and not applied. */
  readonly waiting: number
  /** Lines among them that are no entries. */
  readonly damagedLines: number
  /** When the oldest that waits was appended. */
  readonly oldestAtMs: number | undefined
  readonly bytes: number
  readonly files: number
  readonly setAside: number
  /** Files that the disk could not read, and which were taken out. */
  readonly unreadableFiles: readonly string[]
}

/** A line that waits, and where it stands. */
export interface WaitingLine extends SegmentLine {
  readonly segment: number
}

/** What waits, in order. Files that are removed meanwhile, since all of them is applied, are passed over. */
export async function* waitingLines(folder: string): AsyncGenerator<WaitingLine> {
  const position = new PositionFile(folder).read()
  for (const segment of listSegments(folder)) {
    if (segment < (position?.segment ?? 0)) continue
    const reader = new SegmentReader(folder, segment, startIn(segment, position))
    try {
      for (let lines = await reader.next(); lines.length > 0; lines = await reader.next()) {
        for (const line of lines) yield { ...line, segment }
      }
    } catch (error) {
      if (!isGone(error)) throw error
    } finally {
      await reader.close()
    }
  }
}

/** Reads all that waits once. Throws what the file system throws, ENOENT where there is no journal. */
export async function surveyJournal(folder: string): Promise<JournalSurvey> {
  const segments = listSegments(folder)
  let waiting = 0
  let damagedLines = 0
  let oldestAtMs: number | undefined
  for await (const { decoded } of waitingLines(folder)) {
    waiting++
    if (decoded.kind === 'bad') damagedLines++
    else oldestAtMs ??= decoded.record.appendedAtMs
  }
  return {
    ownerPid: journalOwner(folder)?.pid,
    waiting,
    damagedLines,
    oldestAtMs,
    bytes: segments.reduce((sum, segment) => sum + sizeOf(join(folder, segmentName(segment))), 0),
    files: segments.length,
    setAside: new SetAsideFolder(folder).count(),
    unreadableFiles: unreadableFiles(folder),
  }
}

function unreadableFiles(folder: string): readonly string[] {
  try {
    return readdirSync(setAsidePath(folder)).filter((name) => name.endsWith('.journal'))
  } catch {
    return []
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function isGone(error: unknown): boolean {
  return hasCode(error, 'ENOENT')
}
