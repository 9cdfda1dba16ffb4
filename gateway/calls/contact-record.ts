import { newId } from '../../base/uuid.ts'
import type { RecordingOutcome, RecordingPause } from '../../recorder/recording-plan.ts'
import type { ContactJournal, JournalEntry, TimeSpan } from '../../storage/model.ts'
import { SharedContact } from './shared-contact.ts'
import type { ContactFacts } from './testimony.ts'

export type { ContactFacts } from './testimony.ts'

export interface ContactRecordOptions {
  readonly journal: ContactJournal
  readonly nodeId: string
  readonly callId: string
  readonly capture: 'siprec' | 'trunk'
  readonly startedAtMs: number
  readonly facts: ContactFacts
  /** All who handle it now; the facts' agent where absent. */
  readonly agents?: readonly string[]
  /** The contact that the session brings once more. */
  readonly joins?: SharedContact
}

/** Characters of metadata that a session keeps after its first document; a client that sends more is not believed. */
const METADATA_LENGTH = 262_144

/**
 * What one session of a call leaves in the journal, in the order in which the rows need it: the contact from the first
 * message on, segments of those who handle it, recordings, and the end, once. A further session of a contact has a row
 * of its own that leads to the first one's.
 */
export class ContactRecord {
  readonly rowId = newId()
  readonly callId: string
  readonly startedAtMs: number
  readonly #journal: ContactJournal
  readonly #contact: SharedContact
  #answeredAtMs: number | undefined
  /** Recordings that have a row and no verdict yet. */
  readonly #running = new Set<string>()
  /** Pauses of recordings that have no row yet. */
  readonly #pausesOf = new Map<string, readonly RecordingPause[]>()
  #hasEnded = false
  #metadata: string | null = null
  #metadataLength = 0

  /** Journals `contact.started`, or `contact.joined`. */
  constructor(options: ContactRecordOptions) {
    const { journal, nodeId, callId, capture, startedAtMs, facts } = options
    const { agents = agentsOf(facts) } = options
    const { rowId: contactId } = this
    const told = { facts, agents }
    const joins = options.joins?.current
    this.callId = callId
    this.startedAtMs = startedAtMs
    this.#journal = journal
    const session = { contactId, nodeId, callId, capture, startedAtMs }
    if (joins === undefined) {
      journal.append({ kind: 'contact.started', ...session, ...facts })
      this.#contact = new SharedContact(session, told, journal)
    } else {
      journal.append({ kind: 'contact.joined', ...session, into: joins.contactId })
      joins.join(session, told)
      this.#contact = joins
      this.#keepMetadata(facts.metadata, startedAtMs)
    }
    this.#metadata = facts.metadata
  }

  /** The contact that the session is of, now. */
  get contact(): SharedContact {
    return this.#contact.current
  }

  get contactId(): string {
    return this.contact.contactId
  }

  get facts(): ContactFacts {
    return this.contact.facts
  }

  /** When this session was, or before it another of the contact. */
  get answeredAtMs(): number | undefined {
    return this.#answeredAtMs ?? this.contact.answeredAtMs
  }

  /** Resolves when the journal has all that it was told until now; what is told to others waits for that. */
  written(): Promise<void> {
    return this.#journal.written()
  }

  answered(answeredAtMs: number): void {
    this.#answeredAtMs = answeredAtMs
    this.contact.answered(answeredAtMs)
  }

  /** Journals what differs from what was known; other agents begin other segments. */
  change(
    facts: ContactFacts,
    changedAtMs: number,
    agents: readonly string[] = agentsOf(facts),
  ): void {
    if (this.#hasEnded) return
    this.#keepMetadata(facts.metadata, changedAtMs)
    this.contact.tell(this.rowId, { facts, agents }, changedAtMs)
  }

  recordingStarted(recordingId: string, startedAtMs: number): void {
    const { contactId } = this
    this.#journal.append({ kind: 'recording.started', recordingId, contactId, startedAtMs })
    this.#running.add(recordingId)
    const pauses = this.#pausesOf.get(recordingId)
    if (pauses !== undefined) this.pausesChanged(recordingId, pauses)
    this.#pausesOf.delete(recordingId)
  }

  /** By its route's rule nothing is recorded of it. */
  exempted(): void {
    this.#journal.append({ kind: 'contact.exempted', contactId: this.contactId })
  }

  /** All pauses of a recording so far: should the node die, its row knows them. */
  pausesChanged(recordingId: string, pauses: readonly RecordingPause[]): void {
    if (this.#running.has(recordingId)) {
      const { contactId } = this
      this.#journal.append({ kind: 'recording.pauses', recordingId, contactId, pauses })
    } else {
      this.#pausesOf.set(recordingId, pauses)
    }
  }

  /** Notes of the platform's; null takes one away. */
  annotated(notes: Readonly<Record<string, string | null>>, annotatedAtMs: number): void {
    this.#journal.append({
      kind: 'contact.annotated',
      contactId: this.contactId,
      notes,
      annotatedAtMs,
    })
  }

  /** The session turned out to be one of another contact: the earlier of the two is the contact. */
  join(other: SharedContact, atMs: number): void {
    const { contact } = this
    if (other.startedAtMs <= contact.startedAtMs) other.absorb(contact, atMs)
    else contact.absorb(other, atMs)
  }

  /** A party is on hold from now on, or none is. */
  held(isHeld: boolean, atMs: number): void {
    this.contact.holds.set(this.rowId, isHeld, atMs)
  }

  /** `file` is where the store keeps it, null where there is none. */
  recordingEnded(outcome: RecordingOutcome, file: string | null): void {
    const onHold = this.contact.holds.within(outcome.startedAtMs, outcome.durationMs)
    this.#running.delete(outcome.recordingId)
    this.#journal.append(recordingEndedEntry(this.contactId, outcome, { file, onHold }))
  }

  /** Ends the session; the contact ends with its last one. Idempotent: the first reason stays. */
  ended(endedAtMs: number, endReason: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.contact.leave(this.rowId, endedAtMs, endReason)
  }

  #keepMetadata(document: string | null, receivedAtMs: number): void {
    if (document === null || document === this.#metadata) return
    this.#metadata = document
    if (this.#metadataLength + document.length > METADATA_LENGTH) return
    this.#metadataLength += document.length
    this.#journal.append({
      kind: 'metadata.received',
      documentId: newId(),
      contactId: this.rowId,
      receivedAtMs,
      document,
    })
  }
}

/** A recording's verdict as the journal takes it. */
export function recordingEndedEntry(
  contactId: string,
  outcome: RecordingOutcome,
  { file, onHold = [] }: { readonly file: string | null; readonly onHold?: readonly TimeSpan[] },
): JournalEntry {
  return {
    kind: 'recording.ended',
    recordingId: outcome.recordingId,
    contactId,
    state: outcome.verdict,
    reasons: outcome.reasons,
    startedAtMs: outcome.startedAtMs,
    durationMs: outcome.durationMs,
    callDurationMs: outcome.callDurationMs,
    lostMs: outcome.lostMs,
    lossMap: outcome.lossMap,
    onHold,
    ...(outcome.pauses === undefined ? {} : { pauses: outcome.pauses }),
    bytes: outcome.bytes,
    sha256: outcome.sha256,
    ...(outcome.encryption && { encryption: outcome.encryption }),
    file,
    media: outcome.streams,
  }
}

function agentsOf({ agent }: ContactFacts): readonly string[] {
  return agent === null ? [] : [agent]
}
