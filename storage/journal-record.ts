import { crc32 } from './crc32.ts'
import type { JournalEntry } from './model.ts'

/** One line of a journal segment. */
export interface JournalRecord {
  /** Counts from 1 since the program's start. */
  readonly sequence: number
  readonly appendedAtMs: number
  readonly entry: JournalEntry
}

/** What a line turned out to be; `reason` says in a few words what is wrong with a bad one. */
export type DecodedLine =
  | { readonly kind: 'record'; readonly record: JournalRecord }
  | { readonly kind: 'bad'; readonly reason: string }

// A table, so that the compiler misses a kind that is not here.
const KINDS: Readonly<Record<JournalEntry['kind'], true>> = {
  'contact.started': true,
  'contact.joined': true,
  'contact.keyed': true,
  'contact.changed': true,
  'contact.answered': true,
  'contact.ended': true,
  'contact.exempted': true,
  'contact.annotated': true,
  'metadata.received': true,
  'segment.started': true,
  'segment.ended': true,
  'recording.started': true,
  'recording.ended': true,
  'recording.pauses': true,
  'recording.stored': true,
}

/**
 * A record as a line, so that a journal can be read with ordinary tools:
 *
 *     crc32 sequence appendedAtMs json\n
 *
 * The checksum, 8 hexadecimal digits, covers what follows its space up to the end of the line.
 */
export function encodeRecord({ sequence, appendedAtMs, entry }: JournalRecord): Buffer {
  const body = Buffer.from(`${sequence} ${appendedAtMs} ${JSON.stringify(entry)}`)
  const checksum = crc32(body).toString(16).padStart(8, '0')
  return Buffer.concat([Buffer.from(`${checksum} `), body, Buffer.from('\n')])
}

/** Reads a line without its line end. Never throws. */
export function decodeLine(line: Buffer): DecodedLine {
  const checksum = line.toString('latin1', 0, 9)
  if (!/^[0-9a-f]{8} $/.test(checksum)) return { kind: 'bad', reason: 'no checksum' }
  const body = line.subarray(9)
  if (Number.parseInt(checksum, 16) !== crc32(body)) {
    return { kind: 'bad', reason: 'checksum does not match' }
  }
  const fields = /^(\d{1,15}) (\d{1,15}) (.*)$/s.exec(body.toString())
  if (!fields) return { kind: 'bad', reason: 'fields missing' }
  const [, sequence, appendedAtMs, json = ''] = fields
  const entry = parse(json)
  if (!isEntry(entry)) return { kind: 'bad', reason: 'no entry that this program knows' }
  return {
    kind: 'record',
    record: { sequence: Number(sequence), appendedAtMs: Number(appendedAtMs), entry },
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/**
 * Whether this is an entry of a kind that this program knows; a newer one may have written others. The checksum vouches
 * for the rest, since only `append` wrote it.
 */
export function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  return typeof value.kind === 'string' && Object.hasOwn(KINDS, value.kind)
}
