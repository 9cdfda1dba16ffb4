import { PassThrough, Readable } from 'node:stream'
import installedFfmpeg from '@ffmpeg-installer/ffmpeg'
import ffmpeg from 'fluent-ffmpeg'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'

export type TranscodeFormat = 'webm' | 'mp3' | 'wav'

/** How a transcoding ended; `aborted` where nobody wanted the rest. */
export type TranscodeOutcome = 'complete' | 'aborted' | 'failed'

export interface TranscoderOptions {
  /** Most at a time; whoever asks for more is refused. */
  readonly maxRunning: number
  /** One that takes longer is ended. */
  readonly longestS: number
  /** Told at each change how many run. */
  readonly onRunning: (running: number) => void
}

export interface TranscodeOptions {
  readonly format: TranscodeFormat
  /** Called once, when ffmpeg has ended. */
  readonly onEnded: (outcome: TranscodeOutcome, reason?: string) => void
}

interface FormatRecipe {
  readonly contentType: string
  readonly outputOptions: readonly string[]
}

// 16 kHz holds all that a phone call carries, up to wideband.
const RECIPES: Readonly<Record<TranscodeFormat, FormatRecipe>> = {
  // The packets as they are, in another container.
  webm: { contentType: 'audio/webm; codecs=opus', outputOptions: ['-c:a copy', '-f webm'] },
  // Joint stereo would let each party be heard in the other's channel.
  mp3: {
    contentType: 'audio/mpeg',
    outputOptions: ['-c:a libmp3lame', '-ar 16000', '-b:a 64k', '-joint_stereo 0', '-f mp3'],
  },
  wav: {
    contentType: 'audio/wav',
    outputOptions: ['-c:a pcm_s16le', '-ar 16000', '-f wav'],
  },
}

export function contentTypeOf(format: TranscodeFormat): string {
  return RECIPES[format].contentType
}

/**
 * Makes recordings into other formats with ffmpeg, a few at a time. Channels stay apart: the caller left,
 * the agent right.
 */
export class Transcoder {
  readonly #maxRunning: number
  readonly #longestS: number
  readonly #onRunning: (running: number) => void
  #running = 0

  constructor({ maxRunning, longestS, onRunning }: TranscoderOptions) {
    this.#maxRunning = maxRunning
    this.#longestS = longestS
    this.#onRunning = onRunning
  }

  get isFull(): boolean {
    return this.#running >= this.#maxRunning
  }

  /**
   * Reads Ogg Opus from `source`, which it owns from now on, and gives the other format. ffmpeg reads no
   * faster than the result is read. The result ends only when ffmpeg has ended well, and fails when it has
   * not or takes too long (`transcode_failed`); destroying the result ends ffmpeg.
   */
  transcode(source: Readable, { format, onEnded }: TranscodeOptions): Readable {
    this.#count(1)
    // fluent-ffmpeg takes a closed output for a failure when ffmpeg exits a little later, as on a busy
    // machine it does; so this one does not tell that it closes.
    const output = new PassThrough({ emitClose: false })
    const command = ffmpeg({ source, timeout: this.#longestS })
      .setFfmpegPath(installedFfmpeg.path)
      .inputFormat('ogg')
      .noVideo()
      .outputOptions([...RECIPES[format].outputOptions])

    let isAborted = false
    let hasStarted = false
    const ended = new Promise<void>((resolve, reject) => {
      source.once('error', reject)
      command.once('end', () => resolve())
      command.on('error', reject)
      command.once('start', () => {
        hasStarted = true
        if (isAborted) command.kill('SIGKILL')
      })
    })
    const settle = (outcome: TranscodeOutcome, reason?: string) => {
      this.#count(-1)
      source.destroy()
      onEnded(outcome, reason)
    }
    ended.then(
      () => settle('complete'),
      (error: Error) => {
        if (hasStarted) command.kill('SIGKILL')
        output.destroy(error)
        settle(isAborted ? 'aborted' : 'failed', messageOf(error))
      },
    )
    // Whoever reads the result hears of it there.
    output.on('error', () => {})

    command.pipe(output, { end: true })
    const result = Readable.from(untilEnded(output, ended), { objectMode: false })
    result.once('close', () => {
      isAborted = !result.readableEnded
      if (isAborted && hasStarted) command.kill('SIGKILL')
    })
    return result
  }

  #count(change: 1 | -1): void {
    this.#running += change
    this.#onRunning(this.#running)
  }
}

/** Holds the end back until ffmpeg has told how it went: its output ends in either case. */
async function* untilEnded(output: Readable, ended: Promise<void>) {
  try {
    yield* output
    await ended
  } catch (error) {
    throw new TallenneError('transcode_failed', messageOf(error), { cause: error })
  }
}
