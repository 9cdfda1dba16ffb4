import type { StoredRow } from '../../storage/audit/audit-chain.ts'

const COLUMNS = [
  'sequence',
  'id',
  'at',
  'writer',
  'actorKind',
  'actor',
  'action',
  'contactId',
  'recordingId',
  'details',
  'previousHash',
  'hash',
] as const

/** A row as a line of JSON; `details` is the very text that was hashed. */
export function formatJson(row: StoredRow): string {
  const members = Object.entries(fieldsOf(row)).map(([name, value]) =>
    // Canonical JSON as it is, so that whoever reads the line finds the text in it.
    name === 'details'
      ? `"details":${row.details}`
      : `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  )
  return `{${members.join(',')}}`
}

export function csvHeading(): string {
  return COLUMNS.join(',')
}

/** A row by RFC 4180. */
export function formatCsv(row: StoredRow): string {
  const fields = fieldsOf(row)
  return COLUMNS.map((name) => quote(String(fields[name] ?? ''))).join(',')
}

function fieldsOf(row: StoredRow): Readonly<Record<(typeof COLUMNS)[number], unknown>> {
  return {
    sequence: row.sequence,
    id: row.id,
    at: new Date(row.atMs).toISOString(),
    writer: row.writer,
    actorKind: row.actorKind,
    actor: row.actorName,
    action: row.action,
    contactId: row.contactId,
    recordingId: row.recordingId,
    details: row.details,
    previousHash: row.previousHash,
    hash: row.hash,
  }
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
