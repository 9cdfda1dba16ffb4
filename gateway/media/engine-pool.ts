import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { RestartPauses } from '../../base/restart-pauses.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { Turns } from '../../base/turns.ts'
import type {
  EngineReply,
  EngineReport,
  EngineSettings,
  PausesChanged,
} from '../../recorder/engine-protocol.ts'
import type { EngineDisk } from './engine-disk.ts'
import { EngineLink, type EngineOrder, type ForkNotice } from './engine-link.ts'
import { EngineThreads } from './engine-threads.ts'

export interface EnginePoolOptions {
  readonly onReport: (engineIndex: number, report: EngineReport) => void
  readonly onDeath: () => void
  /** One for each engine: their number is the number of threads. */
  readonly settings: readonly EngineSettings[]
  readonly entry: URL
  /** A way for the engine's thread to the disk of open recordings; they wait for it themselves where absent. */
  readonly connectDisk?: (engineIndex: number) => EngineDisk['disk']
  /** Load of an engine, 0 to 1, beyond which it takes no more; without a limit where absent. */
  readonly mostLoad?: number
  readonly clock: Clock
  readonly log: Log
}

interface Slot {
  readonly settings: EngineSettings
  readonly recordings: Set<string>
  /** Of its recordings, those that it has not been told of. */
  readonly unopened: Set<string>
  readonly openings: Turns
  link: EngineLink | undefined
  readonly pauses: RestartPauses
  restart: Timer | undefined
}

/**
 * To open a recording takes an engine as long as it takes to serve a call for a second. So many may come between two
 * batches of the calls that are up, and the others wait here.
 */
const OPENINGS_AT_ONCE = 4
/** Where so many wait for each engine, those that come next would wait longer than a client has patience for. */
const MOST_WAITING = 50
/** One that has waited so long for its turn is refused, so that its client finds another recorder in time. */
const OPENING_PATIENCE_MS = 2000
const LONGEST_WAIT_MS = 30_000

/**
 * The engine threads: spreads recordings over them, keeps each on the engine that opened it, and replaces an
 * engine that dies. Owns the threads; `close` ends them after their recordings are closed.
 */
export class EnginePool {
  readonly #options: EnginePoolOptions
  readonly #slots: readonly Slot[]
  readonly #threads: EngineThreads
  readonly #owners = new Map<string, Slot>()
  readonly #forkListeners = new Map<string, (notice: ForkNotice) => void>()
  readonly #stopListeners = new Map<string, (code: string) => void>()
  readonly #pauseListeners = new Map<string, (change: PausesChanged) => void>()
  #onLost: (recordingIds: readonly string[], cause: string) => void = () => {}
  #isClosed = false

  constructor(options: EnginePoolOptions) {
    this.#options = options
    this.#threads = new EngineThreads(options.entry, options.clock)
    this.#slots = options.settings.map((settings) => ({
      settings,
      recordings: new Set<string>(),
      unopened: new Set<string>(),
      openings: new Turns(OPENINGS_AT_ONCE),
      link: undefined,
      pauses: new RestartPauses({ clock: options.clock, longestMs: LONGEST_WAIT_MS }),
      restart: undefined,
    }))
  }

  /** An engine died and took these recordings' media with it. A new engine is already on its way. */
  onLost(listener: (recordingIds: readonly string[], cause: string) => void): void {
    this.#onLost = listener
  }

  /** Tells what becomes of a recording's forks, until `release`. */
  onFork(recordingId: string, listener: (notice: ForkNotice) => void): void {
    this.#forkListeners.set(recordingId, listener)
  }

  /** Tells that nothing of the recording is written any more while its media goes on, until `release`. */
  onStopped(recordingId: string, listener: (code: string) => void): void {
    this.#stopListeners.set(recordingId, listener)
  }

  /** Tells each time that a pause of the recording begins or ends, until `release`. */
  onPausesChanged(recordingId: string, listener: (change: PausesChanged) => void): void {
    this.#pauseListeners.set(recordingId, listener)
  }

  /** Resolves when every engine answers. Rejects with a `TallenneError` where one cannot start. */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#spawn(slot).request({ kind: 'live' })))
    this.#threads.keepSpare()
  }

  /** Engines that run now, and how many there should be. */
  get health(): { readonly running: number; readonly wanted: number } {
    return {
      running: this.#slots.filter((slot) => slot.link !== undefined).length,
      wanted: this.#slots.length,
    }
  }

  /** The most recordings that they may hold. */
  get mostRecordings(): number {
    return this.#slots.reduce((sum, { settings }) => sum + settings.maxRecordings, 0)
  }

  /** Of the engine that has most room, 1 to 0. */
  get headroom(): number {
    return Math.max(0, ...this.#slots.map(({ link }) => link?.headroom ?? 0))
  }

  /** Why no engine takes a recording, in a sentence; undefined where one does. */
  get obstacle(): string | undefined {
    const running = this.#slots.flatMap(({ link }) => link ?? [])
    if (running.length === 0) return 'no engine is running'
    if (running.some(({ takesMore }) => takesMore)) return undefined
    return `no engine would keep up with one more: ${this.openRecordings} recordings are open`
  }

  /** Recordings that the engines hold. */
  get openRecordings(): number {
    return this.#owners.size
  }

  /** The part of the room for recordings that wait to be opened which is free, 1 to 0. */
  get waitingRoom(): number {
    const { running } = this.health
    const waiting = this.#slots.reduce((sum, { openings }) => sum + openings.waiting, 0)
    return Math.max(0, 1 - waiting / (MOST_WAITING * Math.max(1, running)))
  }

  /** The newest report of each engine that has made one. */
  get reports(): readonly EngineReport[] {
    return this.#slots.flatMap((slot) => slot.link?.report ?? [])
  }

  /**
   * Opens a recording on the engine that holds those whose sockets it takes, else on the least loaded, or on the next
   * where that one has no room; in its turn, where many are opened. Rejects with the last engine's `TallenneError`.
   */
  async open(
    recordingId: string,
    order: Extract<EngineOrder, { readonly kind: 'open' }>,
  ): Promise<EngineReply> {
    const { clock } = this.#options
    const askedAtMs = clock.monotonicMs()
    const isGoingOn = order.plan.after !== undefined
    let refusal = new TallenneError('engine_failed', 'no engine is running')
    const [holder] = (order.plan.after ?? []).flatMap((id) => this.#owners.get(id) ?? [])
    const others = this.#byLoad().filter((slot) => slot !== holder)
    for (const slot of holder === undefined ? others : [holder, ...others]) {
      const link = slot.link
      if (link === undefined) continue
      if (!link.takesMore) {
        // A call more would damage those that it has.
        refusal = overload(
          slot,
          `would not keep up with more than ${slot.recordings.size} recordings`,
        )
        continue
      }
      // Counted before the reply, so that a burst of calls is spread and not heaped on one engine.
      slot.recordings.add(recordingId)
      slot.unopened.add(recordingId)
      this.#owners.set(recordingId, slot)
      let reply: EngineReply | undefined
      try {
        const openNow = async () => {
          slot.unopened.delete(recordingId)
          return slot.link === link ? await link.request(order) : undefined
        }
        const openInTurn = async () => {
          if (clock.monotonicMs() - askedAtMs > OPENING_PATIENCE_MS) {
            throw overload(slot, 'opens recordings too slowly')
          }
          return await openNow()
        }
        // What goes on after a recording that is lost loses audio while it waits.
        reply = await (isGoingOn ? openNow() : slot.openings.take(openInTurn))
      } catch (error) {
        this.#disown(recordingId)
        refusal = asRefusal(error)
        // A plan that kills its engine must not be tried on the next.
        if (refusal.code === 'engine_failed') break
        continue
      }
      if (reply !== undefined) return reply
      // The engine died before it heard of it.
      this.#disown(recordingId)
      return this.open(recordingId, order)
    }
    this.release(recordingId)
    throw refusal
  }

  /** Sends an order to the engine that holds the recording. Rejects with `engine_failed` where none does. */
  request(recordingId: string, order: EngineOrder): Promise<EngineReply> {
    const link = this.#owners.get(recordingId)?.link
    if (link === undefined) {
      return Promise.reject(
        new TallenneError('engine_failed', `no engine holds recording ${recordingId}`),
      )
    }
    return link.request(order)
  }

  /** Sends an order to all engines; those that fail are left out. */
  async requestAll(order: EngineOrder): Promise<readonly EngineReply[]> {
    const replies = await Promise.all(
      this.#slots.map((slot) => slot.link?.request(order).catch(() => undefined)),
    )
    return replies.filter((reply) => reply !== undefined)
  }

  /** Forgets a recording that is closed. */
  release(recordingId: string): void {
    this.#disown(recordingId)
    this.#forkListeners.delete(recordingId)
    this.#stopListeners.delete(recordingId)
    this.#pauseListeners.delete(recordingId)
  }

  async close(withinMs: number): Promise<void> {
    this.#isClosed = true
    for (const slot of this.#slots) slot.restart?.cancel()
    const ended = this.#slots.map((slot) => slot.link?.close(withinMs))
    await Promise.all([...ended, this.#threads.close()])
  }

  #disown(recordingId: string): void {
    this.#owners.get(recordingId)?.recordings.delete(recordingId)
    this.#owners.delete(recordingId)
  }

  #byLoad(): readonly Slot[] {
    return this.#slots.toSorted(
      (a, b) =>
        a.recordings.size - b.recordings.size ||
        (a.link?.report?.lagMs ?? 0) - (b.link?.report?.lagMs ?? 0),
    )
  }

  #spawn(slot: Slot): EngineLink {
    const link = new EngineLink({
      settings: slot.settings,
      thread: this.#threads.take(`engine-${slot.settings.engineIndex}`),
      logLevel: this.#options.log.level,
      disk: this.#options.connectDisk?.(slot.settings.engineIndex),
      mostLoad: this.#options.mostLoad,
      recordings: () => slot.recordings.size,
      clock: this.#options.clock,
      onReport: (report) => this.#options.onReport(slot.settings.engineIndex, report),
      onFork: (notice) => this.#forkListeners.get(notice.recordingId)?.(notice),
      onStopped: ({ recordingId, code }) => this.#stopListeners.get(recordingId)?.(code),
      onPausesChanged: (change) => this.#pauseListeners.get(change.recordingId)?.(change),
      onDeath: (cause) => this.#replace(slot, cause),
    })
    slot.link = link
    slot.pauses.started()
    slot.restart = undefined
    return link
  }

  #replace(slot: Slot, cause: string): void {
    const { clock, log, onDeath } = this.#options
    const lost = [...slot.recordings].filter((recordingId) => !slot.unopened.has(recordingId))
    for (const recordingId of lost) this.release(recordingId)
    slot.link = undefined
    const waitMs = slot.pauses.died()
    log.error(
      { engine: slot.settings.engineIndex, cause, recordings: lost.length, restartInMs: waitMs },
      'engine died',
    )
    // At once where it can be, so that what was lost finds a place even where there is one engine alone.
    if (!this.#isClosed && waitMs === 0) this.#spawn(slot)
    else if (!this.#isClosed) slot.restart = clock.after(waitMs, () => void this.#spawn(slot))
    onDeath()
    this.#onLost(lost, cause)
  }
}

function overload({ settings }: Slot, what: string): TallenneError {
  return new TallenneError('engine_overload', `engine ${settings.engineIndex} ${what}`)
}

function asRefusal(error: unknown): TallenneError {
  return error instanceof TallenneError
    ? error
    : new TallenneError('engine_failed', messageOf(error), { cause: error })
}
