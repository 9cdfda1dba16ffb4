import { deletionInstant } from './deletion-instant.ts'
import type {
  ContactFoundIn,
  ContactView,
  RecordingView,
  SegmentSpan,
  SegmentView,
  SessionView,
  StoredFileView,
} from './model.ts'
import type { ServiceLinePolicy } from './service-lines.ts'

export interface ContactRow
  extends Omit<
    ContactView,
    'notes' | 'segments' | 'recordings' | 'sessions' | DateField | 'callerWithheld' | 'foundIn'
  > {
  readonly callerWithheld: number
  readonly foundIn: Partial<ContactFoundIn> | null
  readonly node: string
  readonly startedAt: Date
  readonly answeredAt: Date | null
  readonly endedAt: Date | null
}
type DateField = 'startedAt' | 'answeredAt' | 'endedAt'

/** What is not said of a contact was not found. */
export const NOT_FOUND: ContactFoundIn = {
  caller: null,
  serviceNumber: null,
  agent: null,
  platformReference: null,
}

/** A session of a contact after its first. */
export interface SessionRow {
  readonly contactId: string
  readonly callId: string
  readonly node: string
  readonly startedAt: Date
  readonly endedAt: Date | null
  readonly endReason: string | null
}

export interface SegmentRow {
  readonly id: string
  readonly contactId: string
  readonly agent: string | null
  readonly startedAt: Date
  readonly endedAt: Date | null
}

export interface RecordingRow
  extends Omit<RecordingView, 'startedAt' | 'channels' | 'codec' | 'deleteAfter' | 'held'>,
    Pick<StoredFileView, 'encryption' | 'keySet'> {
  readonly contactId: string
  readonly serviceLine: string
  readonly startedAt: Date
  readonly callEndedAt: Date | null
  readonly fileMissingSince: Date | null
  readonly audioBytes: number | null
  readonly audioSha256: string | null
}

/** A note of the platform's at one of a contact's rows; null where it was taken away. */
export interface NoteRow {
  readonly contactId: string
  readonly name: string
  readonly value: string | null
}

/** Of rows in the order in which they were written. */
export function notesView(rows: readonly NoteRow[]): ContactView['notes'] {
  const newest = new Map(rows.map(({ name, value }) => [name, value]))
  return Object.fromEntries(
    [...newest].flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  )
}

/** A contact ends with the last of its sessions. */
export function endOf(
  sessions: readonly Pick<SessionRow, 'endedAt' | 'endReason'>[],
): Pick<ContactView, 'endedAt' | 'endReason'> {
  const last = sessions.reduce((latest, session) =>
    (session.endedAt?.getTime() ?? Number.POSITIVE_INFINITY) >
    (latest.endedAt?.getTime() ?? Number.POSITIVE_INFINITY)
      ? session
      : latest,
  )
  return { endedAt: iso(last.endedAt), endReason: last.endReason }
}

export function sessionView({
  callId,
  node,
  startedAt,
  endedAt,
}: Pick<SessionRow, 'callId' | 'node' | 'startedAt' | 'endedAt'>): SessionView {
  return { callId, node, startedAt: startedAt.toISOString(), endedAt: iso(endedAt) }
}

export function segmentView(
  { id, agent, startedAt, endedAt }: SegmentRow,
  recordings: readonly RecordingView[],
): SegmentView {
  const spans = recordings.flatMap((recording) => spanWithin(recording, { startedAt, endedAt }))
  return { id, agent, startedAt: startedAt.toISOString(), endedAt: iso(endedAt), spans }
}

/** The part of a recording, on its own timeline, that lies between two instants. */
function spanWithin(
  { id, startedAt, durationMs }: RecordingView,
  segment: Pick<SegmentRow, 'startedAt' | 'endedAt'>,
): readonly SegmentSpan[] {
  if (durationMs === null) return []
  const zeroMs = Date.parse(startedAt)
  const fromMs = Math.max(0, segment.startedAt.getTime() - zeroMs)
  const toMs = Math.min(
    durationMs,
    (segment.endedAt?.getTime() ?? Number.POSITIVE_INFINITY) - zeroMs,
  )
  return toMs > fromMs ? [{ recordingId: id, fromMs, toMs }] : []
}

export function recordingView(
  row: RecordingRow,
  { policy, held }: { readonly policy: ServiceLinePolicy | undefined; readonly held: boolean },
): RecordingView {
  return {
    id: row.id,
    state: row.state,
    reasons: row.fileMissingSince ? [...row.reasons, 'file_missing'] : row.reasons,
    startedAt: row.startedAt.toISOString(),
    durationMs: row.durationMs,
    channels: row.reasons.includes('mixed_stream') ? ['mixed', 'mixed'] : ['caller', 'agent'],
    codec: 'opus',
    // What the API gives is the audio, whatever its file is.
    bytes: row.encryption === 'none' ? row.bytes : row.audioBytes,
    sha256: row.encryption === 'none' ? row.sha256 : row.audioSha256,
    lostMs: row.lostMs,
    pauses: row.pauses.map((pause) => ({ ...pause, toMs: pause.toMs ?? row.durationMs })),
    onHold: row.onHold,
    deleteAfter: deleteAfter(row, policy),
    held,
  }
}

function deleteAfter(
  { callEndedAt }: RecordingRow,
  policy: ServiceLinePolicy | undefined,
): string | null {
  if (!callEndedAt || !policy || policy.period === null) return null
  const { period, timeZone } = policy
  return new Date(deletionInstant(callEndedAt.getTime(), { period, timeZone })).toISOString()
}

export function iso(date: Date | null): string | null {
  return date?.toISOString() ?? null
}
