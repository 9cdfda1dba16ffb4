import { maskIfLong, maskNumber } from '../../base/mask-number.ts'
import type { JournalEntry } from '../../storage/model.ts'

/** Fields of an entry that hold a telephone number, or may. */
const NUMBERS: ReadonlySet<string> = new Set(['raw', 'e164', 'display'])
/** Fields that hold what the platform wrote, numbers and names among it. */
const DOCUMENTS: ReadonlySet<string> = new Set(['metadata', 'document'])

/** The entry as it may be shown to whoever looks after a machine: without callers' numbers, metadata and notes. */
export function maskEntry(entry: JournalEntry): unknown {
  return mask(entry)
}

function mask(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mask)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, maskField(name, field)]),
  )
}

function maskField(name: string, field: unknown): unknown {
  if (name === 'notes' && typeof field === 'object' && field !== null) {
    return Object.fromEntries(Object.keys(field).map((note) => [note, '…']))
  }
  if (typeof field !== 'string') return mask(field)
  if (NUMBERS.has(name)) return maskNumber(field)
  if (DOCUMENTS.has(name)) return `(${field.length} characters)`
  return name === 'agent' ? maskIfLong(field) : field
}
