import type { MessagePort } from 'node:worker_threads'
import type { Clock, Timer } from '../base/clock.ts'
import type { FileJournal } from './contact-journal.ts'
import type { DatabaseSettings } from './database.ts'
import type { DiskFailure } from './disk/disk.ts'
import { failureOf } from './disk/disk-work.ts'
import type { JournalState } from './journal-state.ts'
import type { ArrivedEntry, JournalSync } from './journal-writer.ts'
import type { JournalEntry } from './model.ts'

/** Which journal is to be opened, and where its entries are applied. */
export interface JournalSettings {
  readonly folder: string
  /** Who has it within the process: one thread after the other. */
  readonly holder: string
  readonly database: DatabaseSettings
  readonly sync: JournalSync
  readonly logLevel: string
}

/** An entry as it passes between threads. */
export interface JournalText {
  /** JSON of the entry. */
  readonly text: string
  readonly appendedAtMs: number
}

/** The first is `open`, again where that has failed, and the last `close`. */
export type JournalRequest =
  | { readonly kind: 'open'; readonly settings: JournalSettings }
  | { readonly kind: 'append'; readonly entries: readonly JournalText[] }
  | { readonly kind: 'start' }
  | { readonly kind: 'drain'; readonly requestId: number }
  | { readonly kind: 'close'; readonly drainMs: number }

/** How the journal stands, as its thread sees it. */
export interface JournalReport {
  readonly state: JournalState
  readonly setAside: number
  /** Of the entries that this thread was given, so many of the first are no longer in its memory alone. */
  readonly safeThrough: number
  /** For how long the disk has not answered. One that blocks the thread keeps it from telling. */
  readonly diskWaitMs: number
}

export type JournalReply =
  /** Comes first. */
  | { readonly kind: 'serving' }
  | { readonly kind: 'opened'; readonly hasHistory: boolean; readonly report: JournalReport }
  /** Answers `append`: the entries are written, or the disk takes none. */
  | { readonly kind: 'taken'; readonly report: JournalReport }
  | { readonly kind: 'reported'; readonly report: JournalReport }
  | { readonly kind: 'drained'; readonly requestId: number; readonly report: JournalReport }
  | { readonly kind: 'closed' }
  /** Answers `open` or `close`. */
  | { readonly kind: 'failed'; readonly failure: DiskFailure }

const REPORT_EVERY_MS = 250
/** A folder of thousands is not read for every entry. */
const COUNT_EVERY_MS = 1000

/**
 * Serves one journal on this thread, which may hang with the journal's disk: its client is told several times a second
 * how it stands, and takes silence for that.
 */
export function serveJournal(
  port: MessagePort,
  {
    open,
    clock,
  }: { readonly open: (settings: JournalSettings) => FileJournal; readonly clock: Clock },
): void {
  let served: ServedJournal | undefined
  let reports: Timer | undefined
  const tell = (reply: JournalReply) => port.postMessage(reply)
  port.on('message', (request: JournalRequest) => {
    if (request.kind !== 'open') {
      if (served !== undefined) void served.take(request)
      return
    }
    try {
      const journal = open(request.settings)
      const opened = new ServedJournal(journal, { tell, clock })
      served = opened
      tell({ kind: 'opened', hasHistory: journal.hasHistory, report: opened.report })
      reports = clock.every(REPORT_EVERY_MS, () =>
        tell({ kind: 'reported', report: opened.report }),
      )
    } catch (error) {
      tell({ kind: 'failed', failure: failureOf(error) })
    }
  })
  port.on('close', () => reports?.cancel())
  tell({ kind: 'serving' })
}

class ServedJournal {
  readonly #journal: FileJournal
  readonly #tell: (reply: JournalReply) => void
  readonly #clock: Clock
  #setAside = 0
  #countedAtMs = Number.NEGATIVE_INFINITY

  constructor(
    journal: FileJournal,
    { tell, clock }: { readonly tell: (reply: JournalReply) => void; readonly clock: Clock },
  ) {
    this.#journal = journal
    this.#tell = tell
    this.#clock = clock
  }

  get report(): JournalReport {
    const now = this.#clock.monotonicMs()
    if (now - this.#countedAtMs >= COUNT_EVERY_MS) {
      this.#setAside = this.#journal.countSetAside()
      this.#countedAtMs = now
    }
    const { state, safeThrough, diskWaitMs } = this.#journal
    return { state, setAside: this.#setAside, safeThrough, diskWaitMs }
  }

  async take(request: Exclude<JournalRequest, { readonly kind: 'open' }>): Promise<void> {
    const journal = this.#journal
    switch (request.kind) {
      case 'append':
        journal.appendAll(request.entries.map(read))
        return this.#tell({ kind: 'taken', report: this.report })
      case 'start':
        return journal.start()
      case 'drain':
        await journal.drained()
        return this.#tell({
          kind: 'drained',
          requestId: request.requestId,
          report: this.report,
        })
      case 'close':
        try {
          await journal.close({ drainMs: request.drainMs })
          this.#tell({ kind: 'closed' })
        } catch (error) {
          this.#tell({ kind: 'failed', failure: failureOf(error) })
        }
    }
  }
}

function read({ text, appendedAtMs }: JournalText): ArrivedEntry {
  return { entry: JSON.parse(text) as JournalEntry, appendedAtMs }
}
