import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { RepeatedWork } from '../base/repeated-work.ts'
import { settledWithin } from '../base/settled-within.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { DataPaths } from '../config/data-paths.ts'
import type { DisksConfig } from '../config/disks-config.ts'
import type { Disk, DiskOrder, DiskOrderOf } from '../storage/disk/disk.ts'
import { DiskClient } from '../storage/disk/disk-client.ts'
import { DiskWatch } from '../storage/disk/disk-watch.ts'
import type { LastingThread } from '../storage/disk/lasting-thread.ts'
import { openDiskThread } from '../storage/disk/open-disk-thread.ts'
import { RecordingStore } from '../storage/recording-store.ts'
import type { EngineDisk } from './media/engine-disk.ts'

export interface NodeDisksOptions {
  readonly paths: Pick<DataPaths, 'spool' | 'store'>
  readonly disks: DisksConfig
  readonly engines: number
  /** Recordings that are open now. */
  readonly openRecordings: () => number
  readonly clock: Clock
  readonly log: Log
}

/** Threads that write open recordings: as many as make use of a disk. */
const MOST_WRITERS = 4
/** New recordings go elsewhere long before those that are open give a disk up. */
const LATE_AFTER_MS = 3000
/** A start waits so long for the store. */
const PREPARE_WITHIN_MS = 3000
const PREPARE_EVERY_MS = 5000
const GIB = 1024 ** 3

/**
 * The disks of a node, each with threads of its own, so that one that hangs holds up nothing else. Owns the threads
 * and the watch over the disks.
 */
export class NodeDisks {
  readonly files: RecordingStore
  readonly spool: DiskWatch
  readonly store: DiskWatch
  readonly #storePath: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #preparing: RepeatedWork
  #isPrepared = false
  readonly #hungAfterMs: number
  readonly #writers: readonly [LastingThread, ...LastingThread[]]
  readonly #mover: LastingThread
  readonly #clients: readonly DiskClient[]

  constructor(options: NodeDisksOptions) {
    const { paths, disks, engines, openRecordings, clock, log } = options
    const thread = (name: string) => openDiskThread({ name, clock, log })
    this.#storePath = paths.store
    this.#clock = clock
    this.#log = log
    this.#hungAfterMs = disks.hungAfterS * 1000
    const firstWriter = thread('spool-0')
    const others = Array.from({ length: Math.min(engines, MOST_WRITERS) - 1 }, (_, index) =>
      thread(`spool-${index + 1}`),
    )
    this.#writers = [firstWriter, ...others]
    this.#mover = thread('store')
    const clientOf = (served: LastingThread) =>
      new DiskClient({ ports: served.connect(), clock, hungAfterMs: this.#hungAfterMs })
    const spool = clientOf(firstWriter)
    const store = clientOf(this.#mover)
    this.#clients = [spool, store]
    const marks = {
      warnFreeBytes: bytesOf(disks.warnFreeGiB),
      refuseFreeBytes: bytesOf(disks.refuseFreeGiB),
    }
    const watched = { marks, clock, log }
    this.spool = new DiskWatch({
      ...watched,
      name: 'spool',
      folder: paths.spool,
      disk: spool,
      openRecordings,
      lateAfterMs: LATE_AFTER_MS,
    })
    this.store = new DiskWatch({
      ...watched,
      name: 'store',
      folder: paths.store,
      disk: store,
      openRecordings: () => 0,
      // It answers after the recordings that are being moved.
      lateAfterMs: this.#hungAfterMs,
    })
    this.files = new RecordingStore({
      spoolPath: paths.spool,
      storePath: paths.store,
      disk: { run: (order) => this.#ofStore(order, store) },
      onChanged: (recordingId) =>
        log.error({ recordingId }, 'a recording was moved whose bytes are not what was written'),
    })
    this.#preparing = new RepeatedWork({
      clock,
      everyMs: PREPARE_EVERY_MS,
      work: () => this.#prepareLate(),
    })
  }

  /**
   * Makes the folders. Rejects with `store_unwritable`. A store that does not answer holds nobody up: it is made when it
   * does, and what is recorded until then waits in the spool.
   */
  async prepare(): Promise<void> {
    try {
      this.#isPrepared = await settledWithin(this.files.prepare(), {
        clock: this.#clock,
        limitMs: PREPARE_WITHIN_MS,
      })
    } catch (error) {
      if (!(error instanceof TallenneError) || error.code !== 'store_hung') throw error
    }
    if (this.#isPrepared) return
    this.#log.error({ folder: this.#storePath }, 'store does not answer: recordings wait for it')
    this.#preparing.start()
  }

  /** Why the store takes no recordings now, in a sentence; undefined where it does. */
  get storeObstacle(): string | undefined {
    if (this.#isPrepared) return this.store.obstacle
    return this.store.obstacle ?? `the store in ${this.#storePath} has not answered since the start`
  }

  /** A way to the disk of open recordings for an engine's thread. */
  connectEngine(engineIndex: number): EngineDisk['disk'] {
    const writer = this.#writers[engineIndex % this.#writers.length] ?? this.#writers[0]
    return { ports: writer.connect(), hungAfterMs: this.#hungAfterMs }
  }

  /** How often threads have died that work on each disk, and others have taken their place. */
  get threadDeaths(): { readonly spool: number; readonly store: number } {
    const spool = this.#writers.reduce((sum, writer) => sum + writer.deaths, 0)
    return { spool, store: this.#mover.deaths }
  }

  /** Begins to watch, once the spool is there. */
  async start(): Promise<void> {
    await Promise.all([this.spool.start(), this.store.start()])
  }

  /** Ends what works on the disks. False where a disk hangs: the process cannot end in order then. */
  async close(): Promise<boolean> {
    this.#preparing.stop()
    this.spool.close()
    this.store.close()
    for (const client of this.#clients) client.close()
    const threads = [...this.#writers, this.#mover]
    const ended = await Promise.all(threads.map((thread) => thread.close()))
    return ended.every(Boolean)
  }

  /** Whoever has a store do something that is known to hang is told at once. */
  #ofStore<Kind extends DiskOrder['kind']>(order: DiskOrderOf<Kind>, disk: Disk) {
    if (this.store.state !== 'hung') return disk.run<Kind>(order)
    return Promise.reject(new TallenneError('disk_hung', this.store.obstacle ?? 'it hangs'))
  }

  async #prepareLate(): Promise<void> {
    if (this.store.state === 'hung') return
    const fields = { folder: this.#storePath }
    try {
      await this.files.prepare()
      this.#isPrepared = true
      this.#preparing.stop()
      this.#log.info(fields, 'store answers')
    } catch (error) {
      this.#log.warn({ ...fields, reason: messageOf(error) }, 'store cannot be prepared yet')
    }
  }
}

function bytesOf(gib: number | undefined): number | undefined {
  return gib === undefined ? undefined : gib * GIB
}
