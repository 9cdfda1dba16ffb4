import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { settledWithin } from '../../base/settled-within.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { Disk, DiskRoom } from './disk.ts'
import { type DiskMarks, type DiskUse, judgeRoom, marksOf, roomNeeded } from './disk-marks.ts'

/** `failing`: it takes no page. `hung`: it does not answer. */
export type DiskState = 'well' | 'low' | 'full' | 'failing' | 'hung'

export const DISK_STATES: readonly DiskState[] = ['well', 'low', 'full', 'failing', 'hung']

export interface DiskWatchOptions {
  /** What it holds, as `spool`. */
  readonly name: string
  readonly folder: string
  readonly disk: Disk
  readonly marks: DiskMarks
  /** Recordings that grow on it. */
  readonly openRecordings: () => number
  /** It hangs when it has not answered for so long. */
  readonly lateAfterMs: number
  readonly clock: Clock
  readonly log: Log
}

const PROBE_EVERY_MS = 2000
/** Nobody's start waits longer for a disk. */
const FIRST_LOOK_MS = 3000

/**
 * Knows how a disk is: every two seconds a page is written to it and its room is asked for. A disk that fails or hangs
 * is known to before a recording meets it, and one that is well again as soon.
 */
export class DiskWatch {
  readonly name: string
  readonly #options: DiskWatchOptions
  #room: DiskRoom | undefined
  #failure: string | undefined
  #askedAtMs: number | undefined
  #tookMs = 0
  #isFull = false
  #told: DiskState = 'well'
  #timer: Timer | undefined

  constructor(options: DiskWatchOptions) {
    this.name = options.name
    this.#options = options
  }

  /** Looks for the first time, and then again and again. Resolves after the first look, or when it takes too long. */
  async start(): Promise<void> {
    const { clock, lateAfterMs } = this.#options
    this.#timer = clock.every(PROBE_EVERY_MS, () => {
      void this.#probe()
      this.#tell()
    })
    await settledWithin(this.#probe(), { clock, limitMs: Math.min(lateAfterMs, FIRST_LOOK_MS) })
    this.#tell()
  }

  close(): void {
    this.#timer?.cancel()
  }

  /** As it was last told; undefined before the first answer. */
  get room(): DiskRoom | undefined {
    return this.#room
  }

  /** How long the newest look took, or the one that is under way has taken, milliseconds. */
  get tookMs(): number {
    return Math.max(this.#tookMs, this.#waitedMs)
  }

  get state(): DiskState {
    if (this.#waitedMs >= this.#options.lateAfterMs) return 'hung'
    if (this.#failure !== undefined) return 'failing'
    const room = this.#room
    if (room === undefined) return 'well'
    const judgement = judgeRoom(room, this.#use)
    this.#isFull = judgement === 'full'
    return judgement
  }

  /** Why no recording can begin on it, in a sentence; undefined where one can. */
  get obstacle(): string | undefined {
    const { state } = this
    if (state === 'well' || state === 'low') return undefined
    return `the disk of ${this.#options.folder} ${this.#describe(state)}`
  }

  /** How much of what may be used is free, from 1 to 0. */
  get headroom(): number {
    const { state, room } = this
    if (state !== 'well' && state !== 'low') return 0
    if (room === undefined || room.totalBytes === 0) return 1
    const { marks } = this.#options
    const { refuseFreeBytes } = marksOf(room, marks, this.#options.openRecordings())
    const usable = Math.max(1, room.totalBytes - refuseFreeBytes)
    return Math.max(0, Math.min(1, (room.freeBytes - refuseFreeBytes) / usable))
  }

  get #use(): DiskUse {
    const { marks, openRecordings } = this.#options
    return { marks, openRecordings: openRecordings(), wasFull: this.#isFull }
  }

  get #waitedMs(): number {
    return this.#askedAtMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#askedAtMs
  }

  async #probe(): Promise<void> {
    if (this.#askedAtMs !== undefined) return
    const { clock } = this.#options
    const askedAtMs = clock.monotonicMs()
    this.#askedAtMs = askedAtMs
    // A look that is given up is begun anew at once: the disk goes on being late until it answers.
    while ((await this.#look()) === 'given_up');
    this.#tookMs = clock.monotonicMs() - askedAtMs
    this.#askedAtMs = undefined
  }

  async #look(): Promise<'answered' | 'given_up'> {
    const { disk, folder } = this.#options
    try {
      this.#room = await disk.run({ kind: 'probe', folder })
      this.#failure = undefined
    } catch (error) {
      if (error instanceof TallenneError && error.code === 'disk_hung') return 'given_up'
      this.#failure = messageOf(error)
    }
    return 'answered'
  }

  /** Every change once. */
  #tell(): void {
    const { state } = this
    if (state === this.#told) return
    const { name, folder, log } = this.#options
    const fields = { disk: name, folder, state, before: this.#told, ...this.#describeRoom() }
    if (state === 'well') log.info(fields, 'disk is well again')
    else if (state === 'low') log.warn(fields, 'disk is filling up')
    else log.error({ ...fields, reason: this.obstacle }, 'disk cannot be recorded to')
    this.#told = state
  }

  #describe(state: 'full' | 'failing' | 'hung'): string {
    if (state === 'hung') return `has not answered for ${Math.round(this.#waitedMs)} ms`
    if (state === 'failing') return `takes nothing: ${this.#failure}`
    if (this.#room === undefined) return 'is too full'
    const { freeBytes, freeFiles } = this.#room
    const { bytes, files } = roomNeeded(this.#room, this.#use)
    return freeBytes < bytes
      ? `is too full: ${inMib(freeBytes)} MiB are free, and ${inMib(bytes)} MiB are needed for another recording`
      : `has too many files: ${freeFiles} can be made, and ${files} are needed for another recording`
  }

  #describeRoom() {
    if (this.#room === undefined) return {}
    const { freeBytes, freeFiles } = this.#room
    const { warnFreeBytes } = marksOf(
      this.#room,
      this.#options.marks,
      this.#options.openRecordings(),
    )
    const { bytes, files } = roomNeeded(this.#room, this.#use)
    return { freeBytes, warnFreeBytes, neededBytes: bytes, freeFiles, neededFiles: files }
  }
}

function inMib(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2)
}
