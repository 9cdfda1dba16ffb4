import { type FileHandle, open } from 'node:fs/promises'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { Announcement } from './announcement.ts'
import type { PlayedFormat } from './recording-plan.ts'
import type { RelayParty } from './relay-party.ts'
import { LONGEST_SOUND_BYTES, readSoundFile } from './sound-file.ts'

interface Playing {
  readonly announcement: Announcement
  readonly onEnded: () => void
}

/** A header and other chunks beside the sound. */
const FILE_BYTES = LONGEST_SOUND_BYTES + 65_536

/** What plays to parties of one engine's calls, by recording and stream. */
export class Announcements {
  readonly #playing = new Map<string, Playing>()

  /**
   * Reads the file and plays it to the party; `onEnded` is told once, at its end or when it is stopped. What played
   * to the stream before ends. Rejects with `unreadable_sound`.
   */
  async play(options: {
    readonly recordingId: string
    readonly streamId: string
    readonly file: string
    readonly format: PlayedFormat
    readonly party: RelayParty
    readonly now: () => number
    readonly onEnded: () => void
  }): Promise<void> {
    const { file, format, party, now, onEnded } = options
    const reading = readSoundFile(await readBounded(file))
    if (reading.kind === 'unreadable') {
      throw new TallenneError('unreadable_sound', `${file} cannot be played: ${reading.problem}`)
    }
    this.stop(options.recordingId, options.streamId)
    const announcement = new Announcement({
      party,
      samples: reading.samples,
      format,
      startedAtMs: now(),
    })
    this.#playing.set(keyOf(options.recordingId, options.streamId), { announcement, onEnded })
  }

  /** Sends what is due everywhere. */
  sendDue(nowMs: number): void {
    for (const [key, { announcement, onEnded }] of this.#playing) {
      if (announcement.sendDue(nowMs)) continue
      this.#playing.delete(key)
      onEnded()
    }
  }

  stop(recordingId: string, streamId: string): void {
    this.#end(keyOf(recordingId, streamId))
  }

  /** Stops all of a recording that closes. */
  release(recordingId: string): void {
    for (const key of [...this.#playing.keys()]) {
      if (key.startsWith(keyOf(recordingId, ''))) this.#end(key)
    }
  }

  #end(key: string): void {
    const playing = this.#playing.get(key)
    this.#playing.delete(key)
    playing?.onEnded()
  }
}

function keyOf(recordingId: string, streamId: string): string {
  return `${recordingId}\n${streamId}`
}

async function readBounded(file: string): Promise<Buffer> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file)
    const { size } = await handle.stat()
    const buffer = Buffer.alloc(Math.min(size, FILE_BYTES))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    const reason = messageOf(error)
    throw new TallenneError('unreadable_sound', `${file} cannot be read: ${reason}`, {
      cause: error,
    })
  } finally {
    await handle?.close()
  }
}
