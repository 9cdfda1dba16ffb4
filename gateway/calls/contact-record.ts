import { newId } from '../../base/uuid.ts'
import type { RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { ContactJournal, JournalEntry } from '../../storage/model.ts'

/** Who a contact is about, as far as signalling has told. */
export type ContactFacts = Omit<
  Extract<JournalEntry, { readonly kind: 'contact.started' }>,
  'kind' | 'contactId' | 'nodeId' | 'callId' | 'capture' | 'startedAtMs'
>

/** The part of the facts that a later message may change. */
type Change = Extract<JournalEntry, { readonly kind: 'contact.changed' }>

export interface ContactRecordOptions {
  readonly journal: ContactJournal
  readonly nodeId: string
  readonly callId: string
  readonly capture: 'siprec' | 'trunk'
  readonly startedAtMs: number
  readonly facts: ContactFacts
}

/**
 * What one call leaves in the journal, in the order in which the rows need it: the contact from the first message
 * on, one segment for each agent in turn, recordings, and the end, once.
 */
export class ContactRecord {
  readonly contactId = newId()
  readonly callId: string
  readonly startedAtMs: number
  readonly #journal: ContactJournal
  #facts: ContactFacts
  #segmentId: string | undefined
  #answeredAtMs: number | undefined
  #hasEnded = false

  /** Journals `contact.started`. */
  constructor(options: ContactRecordOptions) {
    const { journal, nodeId, callId, capture, startedAtMs, facts } = options
    this.callId = callId
    this.startedAtMs = startedAtMs
    this.#journal = journal
    this.#facts = facts
    journal.append({
      kind: 'contact.started',
      contactId: this.contactId,
      nodeId,
      callId,
      capture,
      startedAtMs,
      ...facts,
    })
  }

  get facts(): ContactFacts {
    return this.#facts
  }

  get answeredAtMs(): number | undefined {
    return this.#answeredAtMs
  }

  answered(answeredAtMs: number): void {
    this.#answeredAtMs = answeredAtMs
    this.#journal.append({ kind: 'contact.answered', contactId: this.contactId, answeredAtMs })
    this.#startSegment(answeredAtMs)
  }

  /** Journals what differs from what was known; another agent begins another segment. */
  change(facts: ContactFacts, changedAtMs: number): void {
    const previous = this.#facts
    const change: Change = {
      kind: 'contact.changed',
      contactId: this.contactId,
      ...(differ(previous.caller, facts.caller) ? { caller: facts.caller } : {}),
      ...(differ(previous.serviceNumber, facts.serviceNumber)
        ? { serviceNumber: facts.serviceNumber }
        : {}),
      ...(previous.serviceLine === facts.serviceLine ? {} : { serviceLine: facts.serviceLine }),
      ...(previous.agent === facts.agent ? {} : { agent: facts.agent }),
      ...(differ(previous.foundIn, facts.foundIn) ? { foundIn: facts.foundIn } : {}),
      ...(previous.metadata === facts.metadata ? {} : { metadata: facts.metadata }),
    }
    this.#facts = facts
    if (Object.keys(change).length > 2) this.#journal.append(change)
    if (previous.agent !== facts.agent && this.#segmentId !== undefined) {
      this.#endSegment(changedAtMs)
      this.#startSegment(changedAtMs)
    }
  }

  recordingStarted(recordingId: string, startedAtMs: number): void {
    this.#journal.append({
      kind: 'recording.started',
      recordingId,
      contactId: this.contactId,
      startedAtMs,
    })
  }

  /** `file` is where the store keeps it, null where there is none. */
  recordingEnded(outcome: RecordingOutcome, file: string | null): void {
    this.#journal.append(recordingEndedEntry(this.contactId, outcome, file))
  }

  /** Journals the end of the segment and of the contact. Idempotent: the first reason stays. */
  ended(endedAtMs: number, endReason: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#endSegment(endedAtMs)
    this.#journal.append({
      kind: 'contact.ended',
      contactId: this.contactId,
      endedAtMs,
      endReason,
    })
  }

  #startSegment(startedAtMs: number): void {
    this.#segmentId = newId()
    this.#journal.append({
      kind: 'segment.started',
      segmentId: this.#segmentId,
      contactId: this.contactId,
      agent: this.#facts.agent,
      startedAtMs,
    })
  }

  #endSegment(endedAtMs: number): void {
    if (this.#segmentId === undefined) return
    this.#journal.append({ kind: 'segment.ended', segmentId: this.#segmentId, endedAtMs })
    this.#segmentId = undefined
  }
}

/** A recording's verdict as the journal takes it. */
export function recordingEndedEntry(
  contactId: string,
  outcome: RecordingOutcome,
  file: string | null,
): JournalEntry {
  return {
    kind: 'recording.ended',
    recordingId: outcome.recordingId,
    contactId,
    state: outcome.verdict,
    reasons: outcome.reasons,
    durationMs: outcome.durationMs,
    callDurationMs: outcome.callDurationMs,
    lostMs: outcome.lostMs,
    lossMap: outcome.lossMap,
    bytes: outcome.bytes,
    sha256: outcome.sha256,
    file,
    media: outcome.streams,
  }
}

function differ(a: object, b: object): boolean {
  return JSON.stringify(a) !== JSON.stringify(b)
}
