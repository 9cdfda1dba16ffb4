import type { WaitingLine } from '../../storage/journal-survey.ts'
import type { JournalEntry } from '../../storage/model.ts'
import { entryOf, type SetAsideEntry } from '../../storage/set-aside.ts'
import { formatInstant } from '../local-time.ts'
import { formatTable } from '../table.ts'
import { maskEntry } from './mask-entry.ts'

/** What a list shows of one entry, waiting or set aside. */
export interface ListedEntry {
  /** Of one that is set aside. */
  readonly id?: string
  readonly appendedAt: string | null
  readonly segment: number
  readonly sequence: number | null
  /** Why it is set aside, or what is wrong with the line; null where nothing is. */
  readonly reason: string | null
  /** Null where the line is damaged. */
  readonly entry: unknown
}

export interface ListOptions {
  /** Only of this contact. */
  readonly contactId: string | undefined
  readonly showsNumbers: boolean
}

/** An entry that waits; undefined where it is not asked for. */
export function listWaiting(
  { decoded, segment }: WaitingLine,
  options: ListOptions,
): ListedEntry | undefined {
  if (decoded.kind === 'bad') {
    const { reason } = decoded
    if (options.contactId !== undefined) return undefined
    return { appendedAt: null, segment, sequence: null, reason, entry: null }
  }
  const { sequence, appendedAtMs, entry } = decoded.record
  if (!isWanted(entry, options)) return undefined
  return {
    appendedAt: new Date(appendedAtMs).toISOString(),
    segment,
    sequence,
    reason: null,
    entry: options.showsNumbers ? entry : maskEntry(entry),
  }
}

/** One that is set aside; undefined where it is not asked for. */
export function listSetAside(aside: SetAsideEntry, options: ListOptions): ListedEntry | undefined {
  const entry = entryOf(aside)
  if (!isWanted(entry, options)) return undefined
  const { id, segment, sequence, appendedAtMs, reason } = aside
  return {
    id,
    appendedAt: appendedAtMs === null ? null : new Date(appendedAtMs).toISOString(),
    segment,
    sequence,
    reason,
    entry: entry === null || options.showsNumbers ? entry : maskEntry(entry),
  }
}

/** A table for people. */
export function formatEntries(entries: readonly ListedEntry[], timeZone: string): string[] {
  const isAside = entries.some(({ id }) => id !== undefined)
  const headings = [
    ...(isAside ? ['ID'] : []),
    'APPENDED',
    'ENTRY',
    'CONTACT',
    isAside ? 'WHY' : '',
  ]
  const rows = entries.map(({ id, appendedAt, entry, reason }) => [
    ...(isAside ? [id ?? ''] : []),
    appendedAt === null ? '-' : formatInstant(appendedAt, timeZone).slice(0, 19),
    textField(entry, 'kind') ?? '(damaged line)',
    textField(entry, 'contactId') ?? '-',
    reason ?? '',
  ])
  return formatTable(headings, rows)
}

function isWanted(entry: JournalEntry | null, { contactId }: ListOptions): boolean {
  if (contactId === undefined) return true
  return (
    entry !== null && [textField(entry, 'contactId'), textField(entry, 'into')].includes(contactId)
  )
}

function textField(entry: unknown, name: string): string | undefined {
  const value: unknown = typeof entry === 'object' && entry !== null && Reflect.get(entry, name)
  return typeof value === 'string' ? value : undefined
}
