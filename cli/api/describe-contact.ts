import type { ContactView, RecordingView } from '../../storage/model.ts'
import { formatLength } from '../demo/live-line.ts'
import { formatInstant } from '../local-time.ts'
import { formatFields, formatTable } from '../table.ts'

type Fields = readonly (readonly [string, string])[]

/** Contacts as a table of at most 80 columns, each with the ids of its recordings below it. */
export function describeContacts(contacts: readonly ContactView[], timeZone: string): string[] {
  const rows = contacts.map((contact) => {
    const [recording] = contact.recordings
    return [
      formatInstant(contact.startedAt, timeZone).slice(0, 16),
      callerOf(contact),
      shorten(contact.serviceLine, 14),
      shorten(contact.agent ?? '-', 8),
      lengthOf(recording),
      recording?.state ?? '-',
    ]
  })
  const headings = ['STARTED', 'CALLER', 'LINE', 'AGENT', 'LENGTH', 'VERDICT']
  const [heading = '', ...lines] = formatTable(headings, rows)
  return [
    heading,
    ...contacts.flatMap((contact, index) => [
      lines[index] ?? '',
      ...(contact.recordings.length === 0
        ? [`  contact ${contact.id}`]
        : contact.recordings.map(({ id }) => `  recording ${id}`)),
    ]),
  ]
}

/** Recordings as a table with their ids. */
export function describeRecordings(contacts: readonly ContactView[], timeZone: string): string[] {
  const rows = contacts.flatMap((contact) =>
    contact.recordings.map((recording) => [
      formatInstant(recording.startedAt, timeZone).slice(0, 16),
      callerOf(contact),
      recording.state,
      recording.id,
    ]),
  )
  return formatTable(['STARTED', 'CALLER', 'VERDICT', 'RECORDING'], rows)
}

/** Everything that a contact's row says, in lines. */
export function describeContact(contact: ContactView, timeZone: string): string[] {
  const fields: Fields = [
    ['contact', contact.id],
    ['call', `${contact.callId} (${contact.capture}, ${contact.direction})`],
    ['caller', callerOf(contact)],
    ['service number', contact.serviceNumber ?? '-'],
    ['service line', contact.serviceLine],
    ['agent', contact.agent ?? '-'],
    ['started', formatTime(contact.startedAt, timeZone)],
    ['answered', formatTime(contact.answeredAt, timeZone)],
    ['ended', `${formatTime(contact.endedAt, timeZone)} ${contact.endReason ?? ''}`.trimEnd()],
    ...Object.entries(contact.notes).map(([name, value]) => ['note', `${name}: ${value}`] as const),
  ]
  return formatFields(fields)
}

/** Everything that a recording's row says, in lines. */
export function describeRecording(recording: RecordingView, timeZone: string): string[] {
  const { state, reasons, durationMs, bytes, lostMs, deleteAfter, held } = recording
  const fields: Fields = [
    ['recording', recording.id],
    ['verdict', reasons.length === 0 ? state : `${state} (${reasons.join(', ')})`],
    ['started', formatTime(recording.startedAt, timeZone)],
    ['length', durationMs === null ? '-' : `${formatLength(durationMs)} (${durationMs} ms)`],
    ['lost', lostMs === null ? '-' : `${lostMs} ms`],
    ...recording.pauses.map((pause) => ['paused', describePause(pause)] as const),
    ['channels', `${recording.channels.join(', ')}; ${recording.codec}`],
    ['bytes', bytes === null ? '-' : String(bytes)],
    ['sha256', recording.sha256 ?? '-'],
    ['deleted after', held ? 'held' : formatTime(deleteAfter, timeZone)],
  ]
  return formatFields(fields)
}

function describePause({ fromMs, toMs, by, reason }: RecordingView['pauses'][number]): string {
  const until = toMs === null ? 'still' : `to ${formatLength(toMs)}`
  return `${formatLength(fromMs)} ${until}, by ${by}${reason === null ? '' : ` (${reason})`}`
}

/** An instant where the line is, and in UTC. */
function formatTime(instant: string | null, timeZone: string): string {
  if (instant === null) return '-'
  return `${formatInstant(instant, timeZone)} (${instant})`
}

function callerOf({ caller, callerRaw, callerWithheld }: ContactView): string {
  if (callerWithheld) return 'withheld'
  return caller ?? callerRaw ?? 'unknown'
}

function lengthOf(recording: RecordingView | undefined): string {
  const durationMs = recording?.durationMs ?? null
  return durationMs === null ? '-' : formatLength(durationMs)
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
