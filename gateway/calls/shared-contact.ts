import type { ContactJournal, JournalEntry } from '../../storage/model.ts'
import { HandledSegments } from './handled-segments.ts'
import { HoldLog } from './hold-log.ts'
import { type ContactFacts, sureness, type Testimony, weigh } from './testimony.ts'

/** The part of the facts that a later message may change. */
type Change = Extract<JournalEntry, { readonly kind: 'contact.changed' }>

/** A session as it stands in the journal. */
export type SessionRow = Omit<
  Extract<JournalEntry, { readonly kind: 'contact.joined' }>,
  'kind' | 'into'
>

/** What a session tells. */
export type Told = Omit<Testimony, 'isPresent'>

/** Sessions that end within this end by the same hang-up. */
const HANG_UP_MS = 2000

/**
 * One contact, however many sessions bring it: what they tell of it together, and its segments.
 *
 * It goes on while any of its sessions does. One that comes when all have gone takes it up again.
 */
export class SharedContact {
  /** The row of the first session, which is the contact's own. */
  readonly contactId: string
  readonly startedAtMs: number
  readonly holds = new HoldLog()
  readonly #first: SessionRow
  readonly #journal: ContactJournal
  readonly #segments: HandledSegments
  /** Call-IDs of all sessions. */
  readonly #callIds = new Set<string>()
  /** By the sessions' rows, in the order in which they came. */
  readonly #testimonies = new Map<string, Testimony>()
  /** Rows without an end. */
  #openRows: string[]
  #facts: ContactFacts
  /** What was known until a session went that named the agent, and when it went. */
  #outlasted: { readonly facts: ContactFacts; readonly atMs: number } | undefined
  #answeredAtMs: number | undefined
  #endedAtMs: number | undefined
  #into: SharedContact | undefined

  /** For a contact that is in the journal already. */
  constructor(first: SessionRow, told: Told, journal: ContactJournal) {
    const { contactId, startedAtMs } = first
    this.contactId = contactId
    this.startedAtMs = startedAtMs
    this.#first = first
    this.#callIds.add(first.callId)
    this.#journal = journal
    this.#segments = new HandledSegments({ contactId, journal })
    this.#testimonies.set(contactId, { ...told, isPresent: true })
    this.#openRows = [contactId]
    this.#facts = told.facts
  }

  /** This contact, or the one that it turned out to be. */
  get current(): SharedContact {
    return this.#into?.current ?? this
  }

  get facts(): ContactFacts {
    return this.#facts
  }

  /** By the first session that was. */
  get answeredAtMs(): number | undefined {
    return this.#answeredAtMs
  }

  /** When the last session went; undefined while one goes on. */
  get endedAtMs(): number | undefined {
    return this.#endedAtMs
  }

  /** Whether any of its sessions has the Call-ID. */
  isBroughtBy(callId: string): boolean {
    return this.#callIds.has(callId)
  }

  /** Another session of it, which is in the journal already. */
  join({ contactId, callId, startedAtMs }: SessionRow, told: Told): void {
    this.#endedAtMs = undefined
    this.#callIds.add(callId)
    this.#openRows.push(contactId)
    this.tell(contactId, told, startedAtMs)
  }

  /** Journals what differs from what was known, and who handles the contact from now on. */
  tell(rowId: string, told: Told, atMs: number): void {
    const said = this.#testimonies.get(rowId)
    // Others may have come and gone since it said the same.
    if (said !== undefined && !differ({ ...told, isPresent: true }, said)) return
    this.#testimonies.set(rowId, { ...told, isPresent: true })
    this.#settle(atMs)
  }

  answered(answeredAtMs: number): void {
    if (this.#answeredAtMs === undefined) {
      this.#answeredAtMs = answeredAtMs
      const { contactId } = this
      this.#journal.append({ kind: 'contact.answered', contactId, answeredAtMs })
    }
    this.#segments.handledBy(this.#weighed.agents, answeredAtMs)
  }

  /** A session has ended; the last one ends the contact. Idempotent. */
  leave(rowId: string, atMs: number, endReason: string): void {
    const said = this.#testimonies.get(rowId)
    if (said === undefined || !said.isPresent) return
    this.#testimonies.set(rowId, { ...said, isPresent: false })
    if ([...this.#testimonies.values()].some(({ isPresent }) => isPresent)) {
      this.#goOnWithout(atMs)
      return
    }
    const outlasted = this.#outlasted
    if (outlasted !== undefined && atMs - outlasted.atMs < HANG_UP_MS) this.#change(outlasted.facts)
    this.#endedAtMs = atMs
    this.#segments.end(atMs)
    for (const contactId of this.#openRows) {
      this.#journal.append({ kind: 'contact.ended', contactId, endedAtMs: atMs, endReason })
    }
    this.#openRows = []
  }

  /** Another contact turned out to be this one: its sessions are this one's from now on. One of them goes on. */
  absorb(other: SharedContact, atMs: number): void {
    other.#segments.end(atMs)
    other.#into = this
    this.#journal.append({ kind: 'contact.joined', ...other.#first, into: this.contactId })
    this.#endedAtMs = undefined
    this.#openRows.push(...other.#openRows)
    for (const callId of other.#callIds) this.#callIds.add(callId)
    for (const [rowId, said] of other.#testimonies) this.#testimonies.set(rowId, said)
    this.#settle(atMs)
    if (other.#answeredAtMs !== undefined) this.answered(atMs)
  }

  get #weighed(): Told {
    return weigh([...this.#testimonies.values()])
  }

  #settle(atMs: number): void {
    const { facts, agents } = this.#weighed
    this.#change(facts)
    if (this.#segments.areOpen) this.#segments.handledBy(agents, atMs)
  }

  /**
   * A session has gone, and those that stay say who handles the contact now: the next agent's session may have begun
   * before the one before had its end. Who only guesses does not outweigh who was told. Where the last one goes by the
   * same hang-up, which of them went first said nothing.
   */
  #goOnWithout(atMs: number): void {
    const { facts, agents } = this.#weighed
    if (sureness('agent', facts) >= sureness('agent', this.#facts)) {
      this.#outlasted = { facts: this.#facts, atMs }
      this.#change(facts)
    }
    if (this.#segments.areOpen) this.#segments.handledBy(agents, atMs)
  }

  #change(facts: ContactFacts): void {
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
      ...(previous.platformReference === facts.platformReference
        ? {}
        : { platformReference: facts.platformReference }),
      ...(differ(previous.foundIn, facts.foundIn) ? { foundIn: facts.foundIn } : {}),
    }
    this.#facts = facts
    if (Object.keys(change).length > 2) this.#journal.append(change)
  }
}

function differ(a: object, b: object): boolean {
  return JSON.stringify(a) !== JSON.stringify(b)
}
