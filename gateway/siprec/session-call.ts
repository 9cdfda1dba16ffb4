import type { ContactRecord } from '../calls/contact-record.ts'
import type { Answer } from './answer-plan.ts'
import type { RecordingPart } from './call-recording.ts'
import { isOnHold } from './metadata-holds.ts'
import type { RecordingMetadata } from './recording-metadata.ts'
import type { SdpOffer } from './sdp-offer.ts'
import type { SessionKnowledge } from './session-knowledge.ts'

export interface SessionCallOptions {
  readonly contact: ContactRecord
  readonly knowledge: SessionKnowledge
  readonly part: RecordingPart
}

/** One call that a session brings: who it is about, and the session's part of its recording. */
export class SessionCall {
  readonly contact: ContactRecord
  readonly knowledge: SessionKnowledge
  readonly part: RecordingPart
  /** Streams that have been received at some time. */
  readonly #received = new Set<string>()
  #isHeldByMetadata = false
  #areStreamsHeld = false
  /** By the last offer. */
  #isPausing = false
  #isEstablished = false

  constructor({ contact, knowledge, part }: SessionCallOptions) {
    this.contact = contact
    this.knowledge = knowledge
    this.part = part
  }

  /** Whether a party is on hold, as far as was told. */
  get isHeld(): boolean {
    return this.#isHeldByMetadata || this.#areStreamsHeld
  }

  get isEstablished(): boolean {
    return this.#isEstablished
  }

  /** The call's own part of what the dialog's metadata says now. */
  takeHolds(metadata: RecordingMetadata | null, atMs: number): void {
    this.#isHeldByMetadata = metadata !== null && isOnHold(metadata)
    this.contact.held(this.isHeld, atMs)
  }

  /** Nobody waits for the order. `isHeld`: nothing is received of the session already. */
  heedPause(offer: SdpOffer, isHeld: boolean): void {
    const { control, isWhole } = this.part
    // One party's client that falls silent says nothing of the other party, who talks on.
    const isPausing = isWhole && this.knowledge.isPausing(offer)
    const isPaused = control.pausedBy.some(({ by }) => by === 'offer')
    this.#isPausing = isPausing
    // What was not heard before is being set up, and not paused.
    if (isPausing && !isPaused && !isHeld) {
      void control.pause({ by: 'offer', reason: null })
    }
    if (!isPausing && isPaused) void control.resume('offer')
  }

  /**
   * What is agreed of its streams now: one that was received and is not any more, though it stands, is held, unless that
   * pauses the recording.
   */
  takeStreams({ lines, streams }: Answer, atMs: number): void {
    const standing = new Set(
      lines.flatMap((line) => (line.kind === 'accepted' ? line.streamId : [])),
    )
    this.#areStreamsHeld =
      !this.#isPausing &&
      streams.some(
        ({ streamId, isReceiving }) =>
          !isReceiving && standing.has(streamId) && this.#received.has(streamId),
      )
    for (const { streamId, isReceiving } of streams) if (isReceiving) this.#received.add(streamId)
    this.contact.held(this.isHeld, atMs)
  }

  /** Writes that the call is up, and that it is recorded. */
  established(answeredAtMs: number): void {
    this.#isEstablished = true
    this.contact.answered(answeredAtMs)
    if (this.part.isOpen) this.part.started(answeredAtMs)
  }
}
