import type { MessagePort } from 'node:worker_threads'
import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { TallenneError } from '../base/tallenne-error.ts'
import { newId } from '../base/uuid.ts'
import type { DiskFailure } from './disk/disk.ts'
import type { LastingThread } from './disk/lasting-thread.ts'
import type { JournalReply, JournalRequest, JournalSettings } from './serve-journal.ts'

/** What the user of a journal says of it; the link adds whose it is. */
export type JournalPlace = Omit<JournalSettings, 'holder'>

export interface JournalLinkOptions {
  readonly thread: Pick<LastingThread, 'serve' | 'hasten' | 'deaths'>
  /** Everything that a thread says. */
  readonly onReply: (reply: JournalReply) => void
  /** A thread has opened the journal: the first, or another after one that died. */
  readonly onOpened: () => void
  /** The thread has died, and what it held in memory with it. */
  readonly onLost: () => void
  readonly clock: Clock
  readonly log: Log
}

interface Opening {
  readonly resolve: () => void
  readonly reject: (error: TallenneError) => void
}

/** What cannot be opened now may be in a while, as on a disk that is full. */
const REOPEN_MS = 1000

/** The way to the thread that has the journal, and to the next one where that dies: it is told to open the journal too. */
export class JournalLink {
  readonly #options: JournalLinkOptions
  readonly #holder = newId()
  /** Undefined where the thread has died and the next is not there yet. */
  #port: MessagePort | undefined
  #place: JournalPlace | undefined
  /** Of `open`, until it is known what comes of it. */
  #opening: Opening | undefined
  #isOpen = false
  #hasHistory = false
  #failure: DiskFailure | undefined
  #reopening: Timer | undefined

  constructor(options: JournalLinkOptions) {
    this.#options = options
    options.thread.serve({
      onStarted: (port) => this.#begin(port),
      onDied: (cause) => this.#lose(cause),
    })
  }

  /** Resolves when the journal is open, or at `openLater`. Rejects with what its folder has against it. */
  async open(place: JournalPlace): Promise<void> {
    this.#place = place
    try {
      await new Promise<void>((resolve, reject) => {
        this.#opening = { resolve, reject }
        this.#open()
      })
    } finally {
      this.#opening = undefined
    }
  }

  /** Whoever waits for it to be open need not: it is opened when its disk answers. */
  openLater(): void {
    this.#opening?.resolve()
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether there is a thread. */
  get isAlive(): boolean {
    return this.#port !== undefined
  }

  /** Why it could not be opened; undefined where it is, or where nothing is known of that. */
  get failure(): string | undefined {
    return this.#failure?.message
  }

  /** Whether an earlier start has reached the database. */
  get hasHistory(): boolean {
    return this.#hasHistory
  }

  /** How often a thread has died. */
  get deaths(): number {
    return this.#options.thread.deaths
  }

  post(request: JournalRequest): void {
    this.#port?.postMessage(request)
  }

  /** Ends the pause before another thread is started. */
  hasten(): void {
    this.#options.thread.hasten()
  }

  /** Idempotent. */
  close(): void {
    this.#reopening?.cancel()
    this.#port?.close()
  }

  #begin(port: MessagePort): void {
    this.#port = port
    port.on('message', (reply: JournalReply) => {
      // What a thread said that has died meanwhile is known by what it left.
      if (this.#port === port) this.#take(reply)
    })
    this.#open()
  }

  #open(): void {
    if (this.#place === undefined) return
    this.post({ kind: 'open', settings: { ...this.#place, holder: this.#holder } })
  }

  #take(reply: JournalReply): void {
    const { onReply, onOpened } = this.#options
    if (reply.kind === 'failed' && !this.#isOpen) this.#notOpened(reply.failure)
    onReply(reply)
    if (reply.kind !== 'opened') return
    this.#isOpen = true
    this.#failure = undefined
    this.#hasHistory ||= reply.hasHistory
    this.#opening?.resolve()
    onOpened()
  }

  #notOpened(failure: DiskFailure): void {
    const { clock, log } = this.#options
    const { code, message } = failure
    if (this.#opening !== undefined) {
      this.#opening.reject(new TallenneError(code, message))
      return
    }
    if (this.#failure?.message !== message) {
      log.error({ reason: message }, 'journal cannot be opened yet')
    }
    this.#failure = failure
    this.#reopening = clock.after(REOPEN_MS, () => this.#open())
  }

  #lose(cause: string): void {
    this.#port?.close()
    this.#port = undefined
    this.#isOpen = false
    this.#reopening?.cancel()
    this.#opening?.reject(new TallenneError('journal_died', `The journal’s thread died: ${cause}`))
    this.#options.onLost()
  }
}
