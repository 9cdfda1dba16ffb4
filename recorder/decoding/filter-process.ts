import { PassThrough, Writable } from 'node:stream'
import installedFfmpeg from '@ffmpeg-installer/ffmpeg'
import ffmpeg from 'fluent-ffmpeg'
import type { Clock, Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { SAMPLE_RATE } from '../sample-clock.ts'
import type { FilterKind } from './filter-kinds.ts'

export interface FilterProcessOptions {
  readonly kind: FilterKind
  readonly clock: Clock
  /** Told of decoded samples, 16-bit and least significant byte first; a sample may be cut in two. */
  readonly onSamples: (bytes: Uint8Array) => void
  /** Told once, when the process is gone: of itself, or after `close`. */
  readonly onEnded: (reason: string) => void
}

/** Frames that wait for the process beyond this are more than it will ever catch up with. */
const MOST_WAITING_BYTES = 64 * 1024
/** A process that was told to end has so long by default before it is killed. */
const END_WITHIN_MS = 500

/**
 * One ffmpeg that decodes the frames of one stream as they come, without holding any back.
 *
 * Owns the process. It ends with `close`, and of itself when this process is gone, since its input ends then.
 */
export class FilterProcess {
  readonly #input = new PassThrough({ highWaterMark: MOST_WAITING_BYTES })
  readonly #command: ffmpeg.FfmpegCommand
  readonly #ended: Promise<void>
  readonly #clock: Clock
  #isRunning = false
  #isKilled = false
  #killing: Timer | undefined

  constructor({ kind, clock, onSamples, onEnded }: FilterProcessOptions) {
    this.#clock = clock
    // fluent-ffmpeg takes an output that tells of its closing for a failure.
    const output = new Writable({
      emitClose: false,
      write: (bytes: Uint8Array, _encoding, done) => {
        onSamples(bytes)
        done()
      },
    })
    const command = ffmpeg({ source: this.#input, stdoutLines: 20 })
      .setFfmpegPath(installedFfmpeg.path)
      .inputOptions(['-loglevel', 'error', '-threads', '1'])
      // Else ffmpeg reads ahead of what it gives, for timestamps that these streams do not have.
      .inputOptions(['-probesize', '32', '-max_ts_probe', '0', '-f', kind.inputFormat])
      .outputOptions(['-f', 's16le', '-ac', '1', '-ar', String(SAMPLE_RATE * kind.density)])
      .outputOptions(['-flush_packets', '1'])
    this.#command = command
    this.#ended = new Promise((resolve) => {
      const settle = (reason: string) => {
        const wasRunning = this.#isRunning
        this.#isRunning = false
        this.#killing?.cancel()
        this.#input.destroy()
        const tell = () => {
          onEnded(reason)
          resolve()
        }
        // The process may be gone before its last samples are read.
        if (wasRunning && !output.writableFinished) output.once('finish', tell)
        else tell()
      }
      command.once('start', () => {
        this.#isRunning = true
        if (this.#isKilled) command.kill('SIGKILL')
      })
      command.once('end', () => settle('it ended'))
      command.once('error', (error: unknown) => settle(messageOf(error)))
    })
    this.#input.on('error', () => {})
    this.#input.write(kind.header, 'latin1')
    command.pipe(output, { end: true })
  }

  /** Hands frames over. False where they cannot be taken: too many wait already. */
  write(frames: Uint8Array): boolean {
    const input = this.#input
    if (input.destroyed || input.writableLength + input.readableLength > MOST_WAITING_BYTES) {
      return false
    }
    input.write(frames)
    return true
  }

  /** Ends the process at once. */
  kill(): void {
    this.#isKilled = true
    if (this.#isRunning) this.#command.kill('SIGKILL')
  }

  /** Ends the process in order, and by force where it takes too long. Idempotent; resolves when it is gone. */
  close(withinMs = END_WITHIN_MS): Promise<void> {
    if (!this.#input.writableEnded) {
      this.#input.end()
      this.#killing = this.#clock.after(withinMs, () => this.kill())
    }
    return this.#ended
  }
}
