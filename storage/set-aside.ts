import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { decodeLine, encodeRecord, isEntry, type JournalRecord } from './journal-record.ts'
import type { JournalEntry } from './model.ts'

/** Something that stood in the journal and could not be applied. */
export interface SetAsideEntry {
  /** Made of the line itself: the same line is set aside once. */
  readonly id: string
  readonly setAsideAtMs: number
  readonly reason: string
  /** Where and when it was appended; null where the line does not say. 0 where its file cannot be read. */
  readonly segment: number
  readonly sequence: number | null
  readonly appendedAtMs: number | null
  /** Null for a line that is no entry; whoever mends it puts an entry here. */
  readonly entry: JournalEntry | null
  /** The line as it stood, base64; null where `entry` says it all. */
  readonly line: string | null
}

const FOLDER = 'set-aside'
const NAME = /^([0-9a-f]{16})\.json$/
/** Kept in memory while the disk does not take them; what is more is found again by the next start. */
const MAX_PENDING = 10_000

/**
 * Entries that hold up no others: each is a file of its own under `set-aside/`, mode 0600, with the reason, until
 * somebody has it applied or throws it away.
 */
export class SetAsideFolder {
  readonly #path: string
  readonly #pending = new Map<string, SetAsideEntry>()
  #unkept = 0

  constructor(journalFolder: string) {
    this.#path = setAsidePath(journalFolder)
  }

  /** Entries that the disk has not taken yet: their segments must not be removed. */
  get pendingCount(): number {
    return this.#pending.size + this.#unkept
  }

  /** How many lie there. */
  count(): number {
    return this.#ids().length + this.#pending.size
  }

  /** Keeps a record that can never be applied. Tells its id. */
  keepRecord(
    record: JournalRecord,
    at: { segment: number; reason: string; nowMs: number },
  ): string {
    const { sequence, appendedAtMs, entry } = record
    return this.#keep({
      id: idOf(encodeRecord(record)),
      setAsideAtMs: at.nowMs,
      reason: at.reason,
      segment: at.segment,
      sequence,
      appendedAtMs,
      entry,
      line: null,
    })
  }

  /** Keeps a line that is no record. Tells its id. */
  keepLine(line: Buffer, at: { segment: number; reason: string; nowMs: number }): string {
    return this.#keep({
      id: idOf(line),
      setAsideAtMs: at.nowMs,
      reason: at.reason,
      segment: at.segment,
      sequence: null,
      appendedAtMs: null,
      entry: null,
      line: line.toString('base64'),
    })
  }

  /** Takes a segment out of the journal that cannot be read. Throws what the file system throws. */
  keepSegment(path: string, name: string): void {
    mkdirSync(this.#path, { recursive: true, mode: 0o700 })
    renameSync(path, join(this.#path, name))
  }

  /** Writes what the disk did not take before. Never throws; tells why it cannot, or undefined. */
  flush(): string | undefined {
    try {
      if (this.#pending.size > 0) mkdirSync(this.#path, { recursive: true, mode: 0o700 })
      for (const [id, entry] of this.#pending) {
        const path = join(this.#path, `${id}.json`)
        writeFileSync(`${path}.part`, `${JSON.stringify(entry, null, 2)}\n`, { mode: 0o600 })
        renameSync(`${path}.part`, path)
        this.#pending.delete(id)
      }
      return undefined
    } catch (error) {
      return messageOf(error)
    }
  }

  /** All of them, in the order in which they were appended. A file that is none has what is wrong with it as reason. */
  list(): readonly SetAsideEntry[] {
    const entries = this.#ids().map((id) => this.#readOrTell(id))
    return entries.sort(
      (a, b) =>
        (a.appendedAtMs ?? a.setAsideAtMs) - (b.appendedAtMs ?? b.setAsideAtMs) ||
        a.segment - b.segment ||
        (a.sequence ?? 0) - (b.sequence ?? 0),
    )
  }

  /** Those of these ids, in the same order. Throws `set_aside_unknown` where there is none of an id. */
  pick(ids: readonly string[]): readonly SetAsideEntry[] {
    for (const id of ids) this.#require(id)
    return this.list().filter(({ id }) => ids.includes(id))
  }

  /** Throws `set_aside_unknown` where there is none of that id, and `set_aside_unreadable` where its file is broken. */
  read(id: string): SetAsideEntry {
    this.#require(id)
    return this.#readFile(id)
  }

  #require(id: string): void {
    if (this.#ids().includes(id)) return
    throw new TallenneError('set_aside_unknown', `No entry ${id} is set aside in ${this.#path}.`)
  }

  #readOrTell(id: string): SetAsideEntry {
    try {
      return this.#readFile(id)
    } catch (error) {
      const reason = messageOf(error)
      const blank = { segment: 0, sequence: null, appendedAtMs: null, entry: null, line: null }
      return { id, setAsideAtMs: 0, reason, ...blank }
    }
  }

  #readFile(id: string): SetAsideEntry {
    const path = join(this.#path, `${id}.json`)
    try {
      const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
      if (isSetAside(value)) return { ...value, id }
    } catch (error) {
      throw new TallenneError(
        'set_aside_unreadable',
        `${path} cannot be read (${messageOf(error)}): mend it, or drop it.`,
        { cause: error },
      )
    }
    throw new TallenneError(
      'set_aside_unreadable',
      `${path} is no entry that was set aside: its entry must be null, or an object with a kind that this program knows.`,
    )
  }

  /** Throws the entry away: it is applied now, or nobody wants it. */
  remove(id: string): void {
    rmSync(join(this.#path, `${id}.json`), { force: true })
  }

  #ids(): readonly string[] {
    try {
      return readdirSync(this.#path).flatMap((name) => NAME.exec(name)?.[1] ?? [])
    } catch {
      return []
    }
  }

  #keep(entry: SetAsideEntry): string {
    if (this.#pending.size < MAX_PENDING) this.#pending.set(entry.id, entry)
    else this.#unkept++
    this.flush()
    return entry.id
  }
}

/** Where a journal keeps what it set aside. */
export function setAsidePath(journalFolder: string): string {
  return join(journalFolder, FOLDER)
}

/** The entry to apply; null for a damaged line that nobody has mended. A newer program may know what an older did not. */
export function entryOf({ entry, line }: SetAsideEntry): JournalEntry | null {
  if (entry !== null || line === null) return entry
  const decoded = decodeLine(Buffer.from(line, 'base64'))
  return decoded.kind === 'record' ? decoded.record.entry : null
}

function idOf(line: Buffer): string {
  return createHash('sha256').update(line).digest('hex').slice(0, 16)
}

function isSetAside(value: unknown): value is SetAsideEntry {
  if (typeof value !== 'object' || value === null) return false
  const entry: unknown = Reflect.get(value, 'entry')
  const line: unknown = Reflect.get(value, 'line')
  return (
    (entry === null || isEntry(entry)) &&
    (line === null || typeof line === 'string') &&
    typeof Reflect.get(value, 'setAsideAtMs') === 'number' &&
    typeof Reflect.get(value, 'segment') === 'number' &&
    typeof Reflect.get(value, 'reason') === 'string'
  )
}
