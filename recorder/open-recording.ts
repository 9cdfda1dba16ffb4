import type { PacedClock } from '../base/paced-clock.ts'
import type { Recording } from './recording.ts'
import type { ReasonCode, RecordingOutcome } from './recording-plan.ts'

/** Unwritten pages beyond this are a disk that falls behind. */
const SINK_BEHIND_BYTES = 1024 * 1024

/** Somebody asked for the end: who is to be told the outcome, and until when packets on their way are awaited. */
export interface Closing {
  readonly requestId: number
  readonly dueAtMs: number
}

/** A recording that an engine holds, and what the engine has noticed of it while serving it. */
export class OpenRecording {
  readonly recording: Recording
  /** Of the batch clock. */
  readonly phase: number
  /** Tokens of its forks. */
  readonly forks = new Set<string>()
  closing: Closing | undefined
  readonly #clock: PacedClock | undefined
  /** Somebody asked for the recording's end, and its media is to stay. */
  stopping: Closing | undefined
  #outcome: Promise<RecordingOutcome> | undefined
  #wasOverloaded = false
  #wasBehind = false
  #hasStopped = false

  /** `clock` is its own, where its time goes faster. */
  constructor(recording: Recording, phase: number, clock?: PacedClock) {
    this.recording = recording
    this.phase = phase
    this.#clock = clock
  }

  /** A moment of its engine's, as its own clock shows it. */
  epochAt(epochMs: number): number {
    return this.#clock?.epochAt(epochMs) ?? epochMs
  }

  /** The same for monotonic time. */
  monotonicAt(monotonicMs: number): number {
    return this.#clock?.monotonicAt(monotonicMs) ?? monotonicMs
  }

  /** Takes what is due up to a position. An exception ends this recording and touches no other. */
  serve(position: number): void {
    const { recording } = this
    try {
      if (this.#outcome === undefined) recording.advance(position)
      recording.report()
    } catch (error) {
      recording.fail(error)
    }
  }

  /** Finishes the file, once, and tells how the recording ended. */
  conclude(): Promise<RecordingOutcome> {
    this.#outcome ??= this.recording.finish()
    return this.#outcome
  }

  get isConcluded(): boolean {
    return this.#outcome !== undefined
  }

  /** Its engine was overloaded while the call ran. */
  overload(): void {
    this.#wasOverloaded = true
  }

  /** The reasons with which it ends: those of signalling and the engine's own. */
  reasons(reasons: readonly ReasonCode[]): readonly ReasonCode[] {
    return this.#wasOverloaded ? [...reasons, 'engine_overload'] : reasons
  }

  /** True once: when the recording cannot go on. */
  hasJustStopped(): boolean {
    if (this.#hasStopped || this.recording.stopReason === undefined) return false
    this.#hasStopped = true
    return true
  }

  /** True once: when its sink does not keep up. */
  hasJustFallenBehind(): boolean {
    if (this.#wasBehind || this.recording.pendingBytes <= SINK_BEHIND_BYTES) return false
    this.#wasBehind = true
    return true
  }
}
