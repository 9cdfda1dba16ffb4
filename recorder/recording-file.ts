import { randomInt } from 'node:crypto'
import { OggOpusWriter } from './ogg-opus-writer.ts'
import type { OpenPageSink, PageSink, SinkFacts } from './page-sink.ts'
import { SAMPLE_RATE } from './sample-clock.ts'
import { WrittenLength } from './written-length.ts'

export interface RecordingFileOptions {
  readonly recordingId: string
  readonly openSink: OpenPageSink
  /** The Opus packet that stands for a slot without sound. */
  readonly silence: Uint8Array
}

/** What a recording's file holds when nothing more comes. */
export interface FileFacts extends SinkFacts {
  /** Length of the audio that was written. */
  readonly writtenMs: number
}

/** A second, for what is encoded at a stretch: silence before the first media, or what an engine catches up with. */
const MOST_SLOTS_PER_PAGE = 50
const SAMPLES_48K = 48_000 / SAMPLE_RATE

/** The file of one recording: an Ogg Opus writer on its sink. Owns the sink. */
export class RecordingFile {
  readonly #sink: PageSink
  readonly #writer: OggOpusWriter
  readonly #length = new WrittenLength()

  constructor(options: RecordingFileOptions) {
    this.#sink = options.openSink(options.recordingId)
    this.#writer = new OggOpusWriter({
      sink: { write: (page) => this.#write(page) },
      serial: randomInt(2 ** 32),
      comments: [`RECORDING_ID=${options.recordingId}`],
      inputSampleRate: SAMPLE_RATE,
      silence: options.silence,
      slotsPerPage: MOST_SLOTS_PER_PAGE,
    })
  }

  get bytes(): number {
    return this.#writer.bytes
  }

  get failure(): PageSink['failure'] {
    return this.#sink.failure
  }

  get pendingBytes(): number {
    return this.#sink.pendingBytes
  }

  append(first: Uint8Array, second: Uint8Array): void {
    this.#writer.append(first, second)
  }

  /**
   * Has what was appended written, but for the newest slot: a process that is killed then loses of a call what was held
   * back, and the batch that was to come.
   */
  endBatch(): void {
    this.#writer.endPage()
  }

  /** Whether audio of this length needs another slot: what was encoded comes out 6.5 ms later. */
  needsMore(lengthSamples: number): boolean {
    return this.#writer.slots < OggOpusWriter.slotsFor(lengthSamples * SAMPLES_48K)
  }

  /** Writes the end of the stream and waits for the sink. */
  async finish(lengthSamples: number): Promise<FileFacts> {
    this.#writer.finish(lengthSamples * SAMPLES_48K)
    const facts = await this.#sink.finish()
    const audioBytes = facts.encryption?.audioBytes ?? facts.bytes
    return { ...facts, writtenMs: this.#length.durationMsIn(audioBytes) }
  }

  #write(page: Uint8Array): void {
    this.#length.add(page, this.#sink.pendingBytes)
    this.#sink.write(page)
  }
}
