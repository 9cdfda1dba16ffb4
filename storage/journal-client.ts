import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { settledWithin } from '../base/settled-within.ts'
import { TallenneError } from '../base/tallenne-error.ts'
import { JournalLink, type JournalLinkOptions, type JournalPlace } from './journal-link.ts'
import { JournalLives } from './journal-lives.ts'
import { JournalOutbox } from './journal-outbox.ts'
import { JournalPulse } from './journal-pulse.ts'
import { idsOf } from './journal-rejects.ts'
import type { JournalState } from './journal-state.ts'
import type { ContactJournal, JournalEntry } from './model.ts'
import type { JournalReply, JournalReport } from './serve-journal.ts'

/** How a journal stands whose disk may hang. */
export interface WatchedJournalState extends JournalState {
  /** Whether its disk does not answer: entries wait in memory, and no new call is to be taken. */
  readonly isHung: boolean
  /** How often its thread has died, and another one has taken its place. */
  readonly deaths: number
}

export interface JournalClientOptions extends Pick<JournalLinkOptions, 'thread' | 'clock' | 'log'> {
  /** A disk that has not answered for so long hangs; 2 s by default. */
  readonly hungAfterMs?: number
}

/** What came of closing it. */
type Ending =
  | Extract<JournalReply, { readonly kind: 'closed' | 'failed' }>
  | { readonly kind: 'died' }

const LOOK_EVERY_MS = 250
/** What a journal that hangs is waited for at its end beyond the time to carry on. */
const CLOSE_MS = 500

/**
 * The node's journal, whose files another thread works on: a disk that hangs holds up that thread alone, and a thread
 * that dies is followed by another.
 *
 * An entry is kept here until the disk or MariaDB has it. One message is under way at a time, so that what comes
 * meanwhile is written, and synced where it is so set, together. `open` comes first. `close` leaves the thread to its owner.
 */
export class JournalClient implements ContactJournal {
  readonly #clock: Clock
  readonly #log: Log
  readonly #link: JournalLink
  readonly #pulse: JournalPulse
  readonly #watch: Timer
  readonly #outbox = new JournalOutbox()
  readonly #lives = new JournalLives()
  #isStarted = false
  #isSending = false
  #refused = 0
  #report: JournalReport | undefined
  #reportedAtMs = 0
  #isTold = false
  readonly #drains = new Map<number, () => void>()
  /** Whether this thread is to be asked what the last one was: after all that it is given again. */
  #owesDrains = false
  #nextId = 1
  #settleEnd: (ending: Ending) => void = () => {}
  #closing: Promise<void> | undefined

  constructor({ thread, clock, log, hungAfterMs = 2000 }: JournalClientOptions) {
    this.#clock = clock
    this.#log = log
    this.#pulse = new JournalPulse(hungAfterMs)
    this.#watch = clock.every(LOOK_EVERY_MS, () => this.#look())
    this.#link = new JournalLink({
      ...{ thread, clock, log },
      onReply: (reply) => this.#take(reply),
      onOpened: () => this.#opened(),
      onLost: () => this.#lost(),
    })
  }

  /**
   * Resolves when it is open, or when it is known that its disk hangs, which `isOpen` and the state tell: then it is
   * opened when the disk answers. Rejects with what the journal's folder has against it, as `journal_in_use`.
   */
  async open(place: JournalPlace): Promise<void> {
    try {
      await this.#link.open(place)
    } catch (error) {
      this.#watch.cancel()
      this.#link.close()
      throw error
    }
  }

  get isOpen(): boolean {
    return this.#link.isOpen
  }

  /** Whether an earlier start has reached the database, as far as a journal that is open tells. */
  get hasHistory(): boolean {
    return this.#link.hasHistory
  }

  /** Entries that lie set aside now, those of earlier starts included. */
  get setAside(): number {
    return this.#report?.setAside ?? 0
  }

  get state(): WatchedJournalState {
    const waiting = this.#outbox.count
    const told = this.#lives.state
    const { isHung } = this.#pulse
    return {
      ...told,
      depth: told.depth + waiting,
      oldestAgeMs: this.#oldestAgeMs(told),
      unwritten: told.unwritten + (isHung ? waiting : 0),
      refused: told.refused + this.#refused,
      diskError: isHung ? this.#describeHang() : told.diskError,
      isHung,
      deaths: this.#link.deaths,
    }
  }

  /** Never throws for what an entry holds or the disk does; after `close` it throws `journal_closed`. */
  append(entry: JournalEntry): void {
    if (this.#closing !== undefined) {
      throw new TallenneError('journal_closed', `${entry.kind} came after the journal was closed.`)
    }
    try {
      this.#outbox.keep({ text: JSON.stringify(entry), appendedAtMs: this.#clock.epochMs() })
    } catch (error) {
      this.#refused++
      this.#log.error({ err: error, ...idsOf(entry) }, 'journal refuses an entry')
      return
    }
    if (this.#isSending) return
    // What comes in the same turn goes together.
    this.#isSending = true
    queueMicrotask(() => {
      this.#isSending = false
      this.#send()
    })
  }

  written(): Promise<void> {
    return this.#outbox.emptied()
  }

  /** Begins to carry entries to MariaDB. Idempotent. */
  start(): void {
    this.#isStarted = true
    if (this.isOpen) this.#link.post({ kind: 'start' })
  }

  /** Resolves when MariaDB has all that was appended until now, by earlier starts too. */
  async drained(): Promise<void> {
    await this.written()
    const requestId = this.#nextId++
    await new Promise<void>((resolve) => {
      this.#drains.set(requestId, resolve)
      if (this.isOpen && !this.#owesDrains) this.#link.post({ kind: 'drain', requestId })
    })
  }

  /**
   * Waits up to `drainMs` for the disk to have everything, and for MariaDB, then ends; what MariaDB does not have stays
   * on the disk. What a disk that hangs does not have is lost, and said in the log. Idempotent.
   */
  close({ drainMs = 5000 }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#end(drainMs)
    return this.#closing
  }

  async #end(drainMs: number): Promise<void> {
    const clock = this.#clock
    const endAtMs = clock.monotonicMs() + drainMs
    const leftMs = () => Math.max(0, endAtMs - clock.monotonicMs())
    this.#link.hasten()
    try {
      const isWritten = await settledWithin(this.written(), { clock, limitMs: drainMs + CLOSE_MS })
      if (isWritten && this.isOpen) {
        const ending = new Promise<Ending>((resolve) => {
          this.#settleEnd = resolve
        })
        this.#link.post({ kind: 'close', drainMs: leftMs() })
        if (await settledWithin(ending, { clock, limitMs: leftMs() + CLOSE_MS })) {
          const came = await ending
          if (came.kind === 'closed') return
          if (came.kind === 'failed') {
            throw new TallenneError(came.failure.code, came.failure.message)
          }
        }
      }
      const entries = this.#outbox.unsafeCount
      // A thread that has died owes nothing where the disk has all.
      if (entries === 0 && !this.#link.isAlive) return
      this.#log.error(
        { entries, reason: this.#describeHang() },
        'journal ends while its disk hangs',
      )
    } finally {
      this.#watch.cancel()
      this.#link.close()
    }
  }

  #send(): void {
    if (!this.isOpen) return
    const entries = this.#outbox.next()
    if (entries.length > 0) this.#link.post({ kind: 'append', entries })
    if (!this.#owesDrains || !this.#outbox.isGivenAgain) return
    this.#owesDrains = false
    for (const requestId of this.#drains.keys()) this.#link.post({ kind: 'drain', requestId })
  }

  #take(reply: JournalReply): void {
    this.#pulse.heard()
    if ('report' in reply) this.#note(reply.report)
    switch (reply.kind) {
      case 'taken':
        this.#outbox.taken()
        this.#outbox.safe(reply.report.safeThrough)
        this.#send()
        return
      case 'drained':
        this.#drains.get(reply.requestId)?.()
        this.#drains.delete(reply.requestId)
        return
      case 'closed':
      case 'failed':
        this.#settleEnd(reply)
        return
      case 'reported':
        this.#outbox.safe(reply.report.safeThrough)
        return
      case 'serving':
      case 'opened':
    }
  }

  #note(report: JournalReport): void {
    this.#report = report
    this.#reportedAtMs = this.#clock.monotonicMs()
    this.#lives.told(report.state)
    this.#pulse.reported(report.diskWaitMs)
  }

  #opened(): void {
    this.#pulse.opened()
    if (this.#isStarted) this.#link.post({ kind: 'start' })
    this.#owesDrains = true
    this.#send()
  }

  /** The thread has died: the next one is given what it may have taken with it. */
  #lost(): void {
    this.#outbox.lost()
    this.#lives.died()
    this.#pulse.died()
    this.#settleEnd({ kind: 'died' })
  }

  #describeHang(): string {
    const { failure, isOpen, deaths } = this.#link
    if (failure !== undefined) return `the journal is not open: ${failure}`
    const hungMs = Math.round(this.#pulse.hungMs)
    if (isOpen || deaths === 0) return `the journal’s disk has not answered for ${hungMs} ms`
    return `the journal’s thread has died, and for ${hungMs} ms no other has opened the journal`
  }

  #oldestAgeMs({ depth, oldestAgeMs }: JournalState): number {
    if (depth > 0) return oldestAgeMs + this.#clock.monotonicMs() - this.#reportedAtMs
    const { oldestAtMs } = this.#outbox
    return oldestAtMs === undefined ? 0 : Math.max(0, this.#clock.epochMs() - oldestAtMs)
  }

  /** Every change is told once. */
  #look(): void {
    this.#pulse.passed(LOOK_EVERY_MS)
    const { isHung } = this.#pulse
    if (isHung) this.#link.openLater()
    if (isHung === this.#isTold) return
    this.#isTold = isHung
    const entries = this.#outbox.unsafeCount
    if (isHung) this.#log.error({ entries, reason: this.#describeHang() }, 'journal hangs')
    else this.#log.info({ entries }, 'journal’s disk answers again')
  }
}
