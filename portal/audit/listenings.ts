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
/** Heard seconds are without a row for no longer than this. */
const LONGEST_MS = 1_800_000

/**
 * Writes down who listens to what: a row before the first byte, and at the end one with the seconds that were sent;
 * while a request runs for long, one with those since the last row every half hour. A player asks for one range after
 * another; together they are one listening.
 */
export class Listenings {
  readonly #options: ListeningsOptions
  readonly #open = new Map<string, Listening>()
  /** Also those that have ended and whose last row is being written. */
  readonly #unwritten = new Set<Listening>()

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
      this.#unwritten.delete(listening)
      throw error
    }
    return listening.hear(subject, audio)
  }

  /** Writes the rows of those that go on. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#unwritten].map((listening) => listening.end()))
  }

  #begin(key: string, subject: ListeningSubject): Listening {
    const listening = new Listening(subject, {
      ...this.#options,
      onEnded: () => {
        if (this.#open.get(key) === listening) this.#open.delete(key)
      },
      onWritten: () => this.#unwritten.delete(listening),
    })
    this.#open.set(key, listening)
    this.#unwritten.add(listening)
    return listening
  }
}

interface ListeningOptions extends ListeningsOptions {
  readonly onEnded: () => void
  /** The last row stands. */
  readonly onWritten: () => void
}

class Listening {
  readonly started: Promise<void>
  readonly #subject: ListeningSubject
  readonly #options: ListeningOptions
  readonly #startId: string
  readonly #startedAtMs: number
  /** Since the last row, as are the formats and the requests. */
  #heard = new HeardSpans()
  #formats = new Set<string>()
  #requests = 0
  readonly #running = new Set<{ readonly format: string }>()
  #idle: Timer | undefined
  #longest: Timer | undefined
  #written: Promise<void> = Promise.resolve()
  #ended: Promise<void> | undefined

  constructor(subject: ListeningSubject, options: ListeningOptions) {
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
      this.#waitLongest()
      this.#waitIdle()
    })
  }

  hear<Audio extends ReadableAudio>({ format, bytes, durationMs }: ListeningSubject, audio: Audio) {
    const request = { format }
    this.#running.add(request)
    this.#requests++
    this.#formats.add(format)
    this.#idle?.cancel()
    const counted = (first: number, pieces: AsyncGenerator<Uint8Array>) =>
      this.#count(pieces, { first, bytes, durationMs: durationMs ?? 0 })
    return {
      ...audio,
      read: (first: number, last: number) => counted(first, audio.read(first, last)),
      close: async () => {
        if (this.#running.delete(request) && this.#running.size === 0) this.#waitIdle()
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

  #waitLongest(): void {
    this.#longest = this.#options.clock.after(LONGEST_MS, () => {
      if (this.#running.size === 0) {
        void this.end()
        return
      }
      void this.#write()
      this.#waitLongest()
    })
  }

  /** A piece counts when it is handed over: whether the network took it whole cannot be known. */
  async *#count(
    pieces: AsyncGenerator<Uint8Array>,
    place: { readonly first: number; readonly bytes: number; readonly durationMs: number },
  ): AsyncGenerator<Uint8Array> {
    const times = new OggTimes(place.first === 0)
    let at = place.first
    let toldMs = 0
    const hear = () => {
      // Each stretch is told once, so that a row which was written meanwhile is not repeated by the next.
      const span = times.span
      this.#heard.add(
        span
          ? { fromMs: Math.max(span.fromMs, toldMs), toMs: span.toMs }
          : spanByPlace({ ...place, at }),
      )
      toldMs = span?.toMs ?? 0
    }
    try {
      for await (const piece of pieces) {
        times.take(piece)
        at += piece.length
        hear()
        yield piece
      }
    } finally {
      hear()
    }
  }

  async #end(): Promise<void> {
    this.#idle?.cancel()
    this.#longest?.cancel()
    const { onEnded, onWritten } = this.#options
    onEnded()
    await this.started.catch(() => {})
    await this.#write()
    onWritten()
  }

  /** Writes what was heard since the last row, behind that row. */
  #write(): Promise<void> {
    const { clock, queue } = this.#options
    const event = auditEvent({
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
    })
    this.#heard = new HeardSpans()
    this.#formats = new Set([...this.#running].map(({ format }) => format))
    this.#requests = this.#running.size
    this.#written = this.#written.then(() => queue.record(event))
    return this.#written
  }
}

/** Within one page no time is told; where in the file it lies tells about when it was. */
function spanByPlace({
  first,
  at,
  bytes,
  durationMs,
}: {
  readonly first: number
  readonly at: number
  readonly bytes: number
  readonly durationMs: number
}) {
  const about = (byte: number) => (bytes === 0 ? 0 : (byte / bytes) * durationMs)
  return { fromMs: about(first), toMs: about(at) }
}
