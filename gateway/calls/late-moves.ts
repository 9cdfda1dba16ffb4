import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { RepeatedWork } from '../../base/repeated-work.ts'
import { settledWithin } from '../../base/settled-within.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { ContactJournal } from '../../storage/model.ts'
import type { EndedFile } from '../../storage/recording-store.ts'
import type { RecordingFiles } from './recording-files.ts'

export interface LateMovesOptions {
  readonly files: RecordingFiles
  readonly journal: ContactJournal
  readonly clock: Clock
  readonly log: Log
}

const RETRY_EVERY_MS = 10_000
/** Of the five seconds in which a gateway ends. */
const CLOSE_WITHIN_MS = 500

/**
 * Recordings that have their verdict and wait in the spool, since the store took nothing: moves them when it does, and
 * has their rows told. What the process leaves there is moved by the next one.
 */
export class LateMoves implements RecordingFiles {
  readonly #options: LateMovesOptions
  readonly #waiting = new Map<string, EndedFile | undefined>()
  readonly #work: RepeatedWork
  #isClosing = false

  constructor(options: LateMovesOptions) {
    this.#options = options
    const { clock } = options
    this.#work = new RepeatedWork({ clock, everyMs: RETRY_EVERY_MS, work: () => this.#moveAll() })
  }

  /** Recordings that wait. */
  get count(): number {
    return this.#waiting.size
  }

  /** Idempotent. */
  start(): void {
    this.#work.start()
  }

  keep(recordingId: string, ended?: EndedFile): Promise<string> {
    return this.#options.files.keep(recordingId, ended)
  }

  keepLater(recordingId: string, ended?: EndedFile): void {
    this.#waiting.set(recordingId, ended)
  }

  /**
   * Begins no more moves, and waits a moment for the one under way, whose row is to be told. A store that hangs is not
   * waited for: what it has not taken stays in the spool for the next start, and a file that it takes all the same is
   * given to its row by the audit of the store. Idempotent.
   */
  async close(): Promise<void> {
    const { clock } = this.#options
    this.#isClosing = true
    await settledWithin(this.#work.close(), { clock, limitMs: CLOSE_WITHIN_MS })
  }

  /** One after the other; a store that hangs is not asked again in this round. */
  async #moveAll(): Promise<void> {
    let failure: TallenneError | undefined
    for (const [recordingId, ended] of this.#waiting) {
      failure = await this.#move(recordingId, ended)
      if (failure?.code === 'disk_hung' || this.#isClosing) break
    }
    if (failure !== undefined) {
      const fields = { recordings: this.#waiting.size, reason: failure.message }
      this.#options.log.warn(fields, 'recordings wait in the spool for the store')
    }
  }

  async #move(
    recordingId: string,
    ended: EndedFile | undefined,
  ): Promise<TallenneError | undefined> {
    const { files, journal, log } = this.#options
    try {
      const file = await files.keep(recordingId, ended)
      this.#waiting.delete(recordingId)
      journal.append({ kind: 'recording.stored', recordingId, file })
      return undefined
    } catch (error) {
      const failure =
        error instanceof TallenneError
          ? error
          : new TallenneError('not_moved', messageOf(error), { cause: error })
      if (failure.code !== 'ENOENT') return failure
      this.#waiting.delete(recordingId)
      log.error({ recordingId, reason: failure.message }, 'a recording is gone from the spool')
      return undefined
    }
  }
}
