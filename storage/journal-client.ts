import type { MessagePort } from 'node:worker_threads'
import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { settledWithin } from '../base/settled-within.ts'
import { TallenneError } from '../base/tallenne-error.ts'
import { JournalOutbox } from './journal-outbox.ts'
import { idsOf } from './journal-rejects.ts'
import type { JournalState } from './journal-state.ts'
import type { ContactJournal, JournalEntry } from './model.ts'
import type {
  JournalReply,
  JournalReport,
  JournalRequest,
  JournalSettings,
} from './serve-journal.ts'

/** How a journal stands whose disk may hang. */
export interface WatchedJournalState extends JournalState {
  /** Whether its disk does not answer: entries wait in memory, and no new call is to be taken. */
  readonly isHung: boolean
}

export interface JournalClientOptions {
  /** To the journal's thread. */
  readonly port: MessagePort
  readonly clock: Clock
  readonly log: Log
  /** A disk that has not answered for so long hangs; 2 s by default. */
  readonly hungAfterMs?: number
}

type Outcome = Extract<JournalReply, { readonly kind: 'opened' | 'closed' | 'failed' }>

const LOOK_EVERY_MS = 250
const OPEN_MS = 30_000
const LATE = {
  code: 'disk_hung',
  message: `The journal’s disk has not answered for ${OPEN_MS / 1000} s.`,
}
/** What a journal that hangs is waited for at its end beyond the time to carry on. */
const CLOSE_MS = 500

/**
 * The node's journal, whose files another thread works on: a disk that hangs holds up that thread alone.
 *
 * An entry is kept here until the thread has taken it. One message is under way at a time, so that what comes meanwhile
 * is written, and synced where it is so set, together. `open` comes first. `close` closes the port.
 */
export class JournalClient implements ContactJournal {
  readonly #port: MessagePort
  readonly #clock: Clock
  readonly #log: Log
  readonly #hungAfterMs: number
  readonly #watch: Timer
  readonly #outbox = new JournalOutbox()
  #isSending = false
  #refused = 0
  #report: JournalReport | undefined
  #reportedAtMs = 0
  #hasHistory = false
  /** For how long nothing has come from the thread, by looks at it: a thread that is itself held up learns nothing. */
  #quietMs = 0
  #isTold = false
  #isGone = false
  #drains = new Map<number, () => void>()
  #nextId = 1
  #settle: (outcome: Outcome) => void = () => {}
  #closing: Promise<void> | undefined

  constructor({ port, clock, log, hungAfterMs = 2000 }: JournalClientOptions) {
    this.#port = port
    this.#clock = clock
    this.#log = log
    this.#hungAfterMs = hungAfterMs
    port.on('message', (reply: JournalReply) => this.#take(reply))
    port.on('close', () => this.#lose())
    this.#watch = clock.every(LOOK_EVERY_MS, () => this.#look())
  }

  /** Rejects with what the journal's folder has against it, as `journal_in_use`; `disk_hung` where it says nothing. */
  async open(settings: JournalSettings): Promise<void> {
    const outcome = this.#outcome()
    this.#post({ kind: 'open', settings })
    const isSettled = await settledWithin(outcome, { clock: this.#clock, limitMs: OPEN_MS })
    const reply = isSettled ? await outcome : ({ kind: 'failed', failure: LATE } as const)
    if (reply.kind === 'failed') {
      this.#watch.cancel()
      this.#port.close()
      throw new TallenneError(reply.failure.code, reply.failure.message)
    }
    this.#hasHistory = reply.kind === 'opened' && reply.hasHistory
  }

  /** Whether an earlier start has reached the database. */
  get hasHistory(): boolean {
    return this.#hasHistory
  }

  /** Entries that lie set aside now, those of earlier starts included. */
  get setAside(): number {
    return this.#report?.setAside ?? 0
  }

  get state(): WatchedJournalState {
    const waiting = this.#outbox.count
    const reported = this.#report?.state ?? NOTHING
    const isHung = this.#isHung
    return {
      ...reported,
      depth: reported.depth + waiting,
      oldestAgeMs: this.#oldestAgeMs(reported),
      unwritten: reported.unwritten + (isHung ? waiting : 0),
      refused: reported.refused + this.#refused,
      diskError: isHung ? this.#describeHang() : reported.diskError,
      isHung,
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
    this.#post({ kind: 'start' })
  }

  /** Resolves when MariaDB has all that was appended until now, by earlier starts too. */
  async drained(): Promise<void> {
    await this.written()
    const requestId = this.#nextId++
    await new Promise<void>((resolve) => {
      this.#drains.set(requestId, resolve)
      this.#post({ kind: 'drain', requestId })
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
    try {
      const isWritten = await settledWithin(this.written(), { clock, limitMs: drainMs + CLOSE_MS })
      if (isWritten && !this.#isGone) {
        const outcome = this.#outcome()
        this.#post({ kind: 'close', drainMs: leftMs() })
        if (await settledWithin(outcome, { clock, limitMs: leftMs() + CLOSE_MS })) {
          const reply = await outcome
          if (reply.kind !== 'failed') return
          throw new TallenneError(reply.failure.code, reply.failure.message)
        }
      }
      this.#log.error(
        { entries: this.#outbox.count, reason: this.#describeHang() },
        'journal ends while its disk hangs',
      )
    } finally {
      this.#watch.cancel()
      this.#port.close()
    }
  }

  #send(): void {
    const entries = this.#outbox.next()
    if (entries.length > 0) this.#post({ kind: 'append', entries })
  }

  #take(reply: JournalReply): void {
    this.#quietMs = 0
    if ('report' in reply) {
      this.#report = reply.report
      this.#reportedAtMs = this.#clock.monotonicMs()
    }
    switch (reply.kind) {
      case 'opened':
      case 'closed':
      case 'failed':
        this.#settle(reply)
        return
      case 'taken':
        this.#outbox.taken()
        this.#send()
        return
      case 'drained':
        this.#drains.get(reply.requestId)?.()
        this.#drains.delete(reply.requestId)
        return
      case 'reported':
    }
  }

  /** Of the `open` or `close` that is sent next. */
  #outcome(): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  #post(request: JournalRequest): void {
    this.#port.postMessage(request)
  }

  get #isHung(): boolean {
    return this.#isGone || this.#hungMs >= this.#hungAfterMs
  }

  get #hungMs(): number {
    return Math.max(this.#quietMs, this.#report?.diskWaitMs ?? 0)
  }

  #describeHang(): string {
    if (this.#isGone) return 'the journal’s thread has ended'
    return `the journal’s disk has not answered for ${Math.round(this.#hungMs)} ms`
  }

  #oldestAgeMs({ depth, oldestAgeMs }: JournalState): number {
    if (depth > 0) return oldestAgeMs + this.#clock.monotonicMs() - this.#reportedAtMs
    const { oldestAtMs } = this.#outbox
    return oldestAtMs === undefined ? 0 : Math.max(0, this.#clock.epochMs() - oldestAtMs)
  }

  /** Every change is told once. */
  #look(): void {
    // Until it is open there is nobody who tells.
    if (this.#report !== undefined) this.#quietMs += LOOK_EVERY_MS
    const isHung = this.#isHung
    if (isHung === this.#isTold) return
    this.#isTold = isHung
    const entries = this.#outbox.count
    if (isHung) this.#log.error({ entries, reason: this.#describeHang() }, 'journal hangs')
    else this.#log.info({ entries }, 'journal’s disk answers again')
  }

  /** The thread has ended. */
  #lose(): void {
    if (this.#closing !== undefined) return
    this.#isGone = true
    const failure = { code: 'disk_gone', message: this.#describeHang() }
    this.#settle({ kind: 'failed', failure })
  }
}

const NOTHING: JournalState = {
  depth: 0,
  oldestAgeMs: 0,
  unwritten: 0,
  rejected: 0,
  refused: 0,
  torn: 0,
  unreadable: 0,
  fault: undefined,
  readError: undefined,
  diskError: undefined,
}
