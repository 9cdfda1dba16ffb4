import { Channel, type SlotMuting } from './channel.ts'
import type { EngineSettings } from './engine-protocol.ts'
import type { OpenPageSink, PageSink } from './page-sink.ts'
import { type FileFacts, RecordingFile } from './recording-file.ts'
import type { VoiceEncoders } from './voice-encoders.ts'

export interface SlotWriterOptions {
  readonly recordingId: string
  readonly settings: EngineSettings
  readonly openSink: OpenPageSink
  readonly encoders: VoiceEncoders
  /** The Opus packet that stands for a slot without sound. */
  readonly silence: Uint8Array
}

/** Encodes the slots of a recording's two channels and writes them to its file. Owns the file. */
export class SlotWriter {
  /** The caller's and the agent's. */
  readonly channels: readonly [Channel, Channel]
  readonly #options: SlotWriterOptions
  #file: RecordingFile | undefined

  constructor(options: SlotWriterOptions) {
    const { encoders, silence } = options
    const channel = { ...options.settings, encoders, silence }
    this.channels = [new Channel(channel), new Channel(channel)]
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#file !== undefined
  }

  /** The sink's first failure, after which nothing is written. */
  get failure(): PageSink['failure'] {
    return this.#file?.failure
  }

  get bytes(): number {
    return this.#file?.bytes ?? 0
  }

  /** Bytes that the sink has accepted and not yet written. */
  get pendingBytes(): number {
    return this.#file?.pendingBytes ?? 0
  }

  /** Makes the file, which begins with so many slots of silence. */
  open(silentSlots: number): void {
    const { recordingId, openSink, silence } = this.#options
    const file = new RecordingFile({ recordingId, openSink, silence })
    for (let slot = 0; slot < silentSlots; slot++) file.append(silence, silence)
    this.#file = file
  }

  /** Writes the slot that was taken from the channels' legs just now, or silence where it is muted as a whole. */
  write(muted: SlotMuting): void {
    const [caller, agent] = this.channels
    const packet = caller.encode(muted)
    this.#file?.append(packet, agent.legs === caller.legs ? packet : agent.encode(muted))
  }

  /** What was written up to now goes to the sink. */
  endBatch(): void {
    this.#file?.endBatch()
  }

  /** Whether audio of this length needs another slot. Nothing does without a file, or after a failure. */
  needsMore(lengthSamples: number): boolean {
    const file = this.#file
    return file !== undefined && file.failure === undefined && file.needsMore(lengthSamples)
  }

  /** Ends the file with audio of this length. Undefined where there is none. */
  async finish(lengthSamples: number): Promise<FileFacts | undefined> {
    for (const channel of this.channels) channel.rest()
    return this.#file?.finish(lengthSamples)
  }
}
