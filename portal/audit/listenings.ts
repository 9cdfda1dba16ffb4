import type { Clock, Timer } from '../../base/clock.ts'
import { type Actor, auditEvent } from '../../storage/audit/audit-event.ts'
import type { AuditQueue } from '../../storage/audit/audit-queue.ts'
import type { AuditTrail } from '../../storage/audit/audit-trail.ts'
import { HeardSpans } from './heard-spans.ts'
import { OggTimes } from './ogg-times.ts'

export interface ListeningsOptions {
  readonly trail: Pick<AuditTrail, 'record'>
  readonly queue: Pick<AuditQueue, 'record'>
  readonly clock: Clock
}

/** What is listened to, by whom. */
export interface ListeningSubject {
  readonly actor: Actor
  readonly recordingId: string
  readonly contactId: string
  /** Of the audio; null where it is not known. */
  readonly durationMs: number | null
  readonly bytes: number
  readonly format: string
}

/** What a recording's bytes are read from. */
export interface ReadableAudio {
  read(first: number, last: number): AsyncGenerator<Uint8Array>
  close(): Promise<void>
}

/** Nobody who listens leaves a player alone for so long: what comes later is another listening. */
const IDLE_MS = 60_000
/** So long may one be without its row; then another begins. */
const LONGEST_MS = 1_800_000

/**
 * Writes down who listens to what: a row before the first byte, and at the end one with the seconds that were sent. A
 * player asks for one range after another; together they are one listening.
 */
export class Listenings {
  readonly #options: ListeningsOptions
  readonly #open = new Map<string, Listening>()

  constructor(options: ListeningsOptions) {
    this.#options = options
  }

  /**
   * The audio as it may be served: what is read of it counts as heard. Rejects with `audit_unavailable`, and then nothing
   * may be served.
   */
  async listen<Audio extends ReadableAudio>(
    subject: ListeningSubject,
    audio: Audio,
  ): Promise<Audio> {
    const { actor, recordingId } = subject
    const key = JSON.stringify([actor.kind, actor.name, recordingId])
    const listening = this.#open.get(key) ?? this.#begin(key, subject)
    try {
      await listening.started
    } catch (error) {
      this.#open.delete(key)
      throw error
    }
    return listening.hear(subject, audio)
  }

  /** Writes the rows of those that go on. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((listening) => listening.end()))
  }

  #begin(key: string, subject: ListeningSubject): Listening {
    const listening = new Listening(subject, {
      ...this.#options,
      onEnded: () => {
        if (this.#open.get(key) === listening) this.#open.delete(key)
      },
    })
    this.#open.set(key, listening)
    return listening
  }
}

class Listening {
  readonly started: Promise<void>
  readonly #subject: ListeningSubject
  readonly #options: ListeningsOptions & { readonly onEnded: () => void }
  readonly #startId: string
  readonly #startedAtMs: number
  readonly #heard = new HeardSpans()
  readonly #formats = new Set<string>()
  #requests = 0
  #running = 0
  #idle: Timer | undefined
  #longest: Timer | undefined
  #ended: Promise<void> | undefined

  constructor(
    subject: ListeningSubject,
    options: ListeningsOptions & { readonly onEnded: () => void },
  ) {
    const { clock, trail } = options
    this.#subject = subject
    this.#options = options
    this.#startedAtMs = clock.epochMs()
    const start = auditEvent({
      ...this.#facts,
      action: 'listen_started',
      atMs: this.#startedAtMs,
      details: { format: subject.format },
    })
    this.#startId = start.id
    this.started = trail.record(start).then(() => {
      this.#longest = clock.after(LONGEST_MS, () => void this.end())
      this.#waitIdle()
    })
  }

  hear<Audio extends ReadableAudio>({ format, bytes, durationMs }: ListeningSubject, audio: Audio) {
    this.#requests++
    this.#running++
    this.#formats.add(format)
    this.#idle?.cancel()
    const counted = (first: number, pieces: AsyncGenerator<Uint8Array>) =>
      this.#count(pieces, { first, bytes, durationMs: durationMs ?? 0 })
    let isClosed = false
    return {
      ...audio,
      read: (first: number, last: number) => counted(first, audio.read(first, last)),
      close: async () => {
        if (!isClosed) {
          isClosed = true
          this.#running--
          if (this.#running === 0) this.#waitIdle()
        }
        await audio.close()
      },
    }
  }

  /** Writes what was heard. Idempotent. */
  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  get #facts() {
    const { actor, recordingId, contactId } = this.#subject
    return { actor, recordingId, contactId }
  }

  #waitIdle(): void {
    this.#idle?.cancel()
    this.#idle = this.#options.clock.after(IDLE_MS, () => void this.end())
  }

  /** A piece counts when it is handed over: whether the network took it whole cannot be known. */
  async *#count(
    pieces: AsyncGenerator<Uint8Array>,
    place: { readonly first: number; readonly bytes: number; readonly durationMs: number },
  ): AsyncGenerator<Uint8Array> {
    const times = new OggTimes(place.first === 0)
    let at = place.first
    try {
      for await (const piece of pieces) {
        times.take(piece)
        at += piece.length
        this.#hear(times, { ...place, at })
        yield piece
      }
    } finally {
      this.#hear(times, { ...place, at })
    }
  }

  #hear(
    times: OggTimes,
    {
      first,
      at,
      bytes,
      durationMs,
    }: { first: number; at: number; bytes: number; durationMs: number },
  ): void {
    // Within one page no time is told; where in the file it lies tells about when it was.
    const about = (byte: number) => (bytes === 0 ? 0 : (byte / bytes) * durationMs)
    this.#heard.add(times.span ?? { fromMs: about(first), toMs: about(at) })
  }

  async #end(): Promise<void> {
    const { clock, queue, onEnded } = this.#options
    this.#idle?.cancel()
    this.#longest?.cancel()
    onEnded()
    await this.started.catch(() => {})
    await queue.record(
      auditEvent({
        ...this.#facts,
        action: 'listened',
        atMs: clock.epochMs(),
        details: {
          started: this.#startId,
          startedAt: new Date(this.#startedAtMs).toISOString(),
          seconds: this.#heard.seconds,
          formats: [...this.#formats].sort(),
          requests: this.#requests,
        },
      }),
    )
  }
}
