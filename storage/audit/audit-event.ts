import { newId } from '../../base/uuid.ts'

/** Who did something. A name is a token's, a user's, an operator's at the command line, or a process's own. */
export interface Actor {
  readonly kind: 'user' | 'token' | 'operator' | 'system'
  readonly name: string
}

/** Everything that the trail tells of. */
export const AUDIT_ACTIONS = [
  'sign_in',
  'sign_in_failed',
  'search',
  'contact_read',
  'metadata_read',
  'recording_read',
  'live_calls_read',
  'completeness_read',
  'listen_started',
  'listened',
  'exported',
  'erased',
  'request_refused',
  'hold_placed',
  'hold_released',
  'retention_deleted',
  'policy_changed',
  'configuration_changed',
  'call_paused',
  'call_resumed',
  'call_stopped',
  'call_annotated',
  'call_list_imported',
  'call_list_withdrawn',
  'keys_changed',
  'journal_entry_dropped',
  'audit_exported',
] as const

export type AuditAction = (typeof AUDIT_ACTIONS)[number]

/** What JSON can say, and what canonical form keeps: numbers are whole. */
export type AuditDetail =
  | string
  | number
  | boolean
  | null
  | readonly AuditDetail[]
  | { readonly [name: string]: AuditDetail }

/** Something that somebody did or saw. It names contacts and recordings by their ids, never people by their numbers. */
export interface AuditEvent {
  /** UUIDv7; an event that is handed over twice is written once. */
  readonly id: string
  readonly atMs: number
  readonly actor: Actor
  readonly action: AuditAction
  readonly contactId: string | null
  readonly recordingId: string | null
  readonly details: Readonly<Record<string, AuditDetail>>
}

/** A row of the trail. */
export interface AuditRow extends AuditEvent {
  /** From 1 on, without a gap. */
  readonly sequence: number
  /** The process that wrote it and its node, as `portal/node-1`. */
  readonly writer: string
}

type EventParts = Pick<AuditEvent, 'atMs' | 'actor' | 'action'> &
  Partial<Pick<AuditEvent, 'contactId' | 'recordingId' | 'details'>>

/** An event with an id of its own. */
export function auditEvent(parts: EventParts): AuditEvent {
  return { contactId: null, recordingId: null, details: {}, ...parts, id: newId() }
}
