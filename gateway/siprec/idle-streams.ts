import type { Clock } from '../../base/clock.ts'
import { newId } from '../../base/uuid.ts'
import type { OrderedControl } from '../calls/ordered-control.ts'
import type { Answer } from './answer-plan.ts'
import type { SessionPlane, SessionStream, StreamOrigin } from './session-plane.ts'
import type { StreamHolder } from './stream-holder.ts'

/** What is recorded of nobody cannot be ordered about. */
const NOT_ORDERED: OrderedControl = {
  opening: () => ({ pausedBy: [], isStopped: false }),
  codesOf: () => undefined,
  removesTones: false,
  pressed: () => undefined,
}

/**
 * Streams of a persistent session between its calls: they are received, so that their ports stay, and nothing of them
 * is written. It is a recording that is never answered.
 */
export class IdleStreams implements StreamHolder {
  readonly #plane: SessionPlane
  readonly #callId: string
  readonly #clock: Clock
  #recordingId = newId()
  #isOpen = false

  constructor(options: {
    readonly plane: SessionPlane
    readonly callId: string
    readonly clock: Clock
  }) {
    this.#plane = options.plane
    this.#callId = options.callId
    this.#clock = options.clock
  }

  get recordingId(): string {
    return this.#recordingId
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  async hold(answer: Answer, from?: StreamOrigin): Promise<readonly SessionStream[]> {
    if (this.#isOpen) return this.#plane.update(this.#recordingId, answer, from)
    return this.#open(answer, from)
  }

  async goOn(answer: Answer): Promise<readonly SessionStream[]> {
    const lost = this.#recordingId
    this.#recordingId = newId()
    const streams = await this.#open(answer, { before: [lost], beside: [] })
    await this.#plane.close(lost, this.#clock.epochMs(), [])
    return streams
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#plane.close(this.#recordingId, this.#clock.epochMs(), [])
  }

  async #open(answer: Answer, from: StreamOrigin | undefined): Promise<readonly SessionStream[]> {
    const request = {
      recordingId: this.#recordingId,
      callId: this.#callId,
      answer,
      control: NOT_ORDERED,
    }
    const streams = await this.#plane.open(from === undefined ? request : { ...request, from })
    this.#isOpen = true
    return streams
  }
}
