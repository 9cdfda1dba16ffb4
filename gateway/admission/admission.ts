import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { ReasonCode } from '../../recorder/recording-plan.ts'

/** What a call needs, and may be short. */
export type Resource =
  | 'engines'
  | 'openings'
  | 'signalling'
  | 'packets'
  | 'recordings'
  | 'ports'
  | 'files'
  | 'spool'
  | 'journal'

/** Why a call that begins now cannot be taken, or not be recorded. */
export interface Obstacle {
  readonly resource: Resource
  /**
   * `room`: there is none for its media or its signalling. `storage`: nothing of it can be kept, though it may pass.
   * `certainty`: all of it can be kept, and would be lost with the process.
   */
  readonly kind: 'room' | 'storage' | 'certainty'
  /** Of the verdict on a recording that cannot be made for it. */
  readonly reason: ReasonCode
  readonly message: string
  readonly retryAfterS: number
}

/** A call is not taken for want of something; carries `not_admitted` and how long its sender is to wait. */
export class NotAdmitted extends TallenneError {
  readonly obstacle: Obstacle

  constructor(obstacle: Obstacle) {
    super('not_admitted', obstacle.message)
    this.name = 'NotAdmitted'
    this.obstacle = obstacle
  }
}

/** How much of one resource there is. */
export interface Headroom {
  readonly resource: Resource
  readonly kind: Obstacle['kind']
  readonly reason: () => ReasonCode
  /** The part of it that is free, 1 to 0. */
  readonly free: () => number
  /** Why no call can have any of it, in a sentence; undefined where one can. */
  readonly obstacle: () => string | undefined
}

/** What became of a call that met an obstacle. */
export type Turned = 'refused' | 'unrecorded'

/** Whether a call that begins now can be taken. */
export interface CallAdmission {
  /** The first obstacle; undefined where there is none. */
  readonly obstacle: Obstacle | undefined
  /** Counts a call that met one. */
  turned(resource: Resource, became: Turned): void
}

export interface AdmissionOptions {
  /** What is asked first stands first. */
  readonly headroom: readonly Headroom[]
  readonly retryAfterS: number
  readonly clock: Clock
  readonly log: Log
  readonly onTurned: (resource: Resource, became: Turned) => void
}

/** A disk does not empty itself within seconds. */
const STORAGE_RETRY = 6
const LOOK_EVERY_MS = 1000

/**
 * Judges by what is measured whether the node can take another call without harm to those that it has. Its answer is
 * made anew for each call.
 */
export class Admission implements CallAdmission {
  readonly #options: AdmissionOptions
  #told: Resource | undefined
  #timer: Timer | undefined

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Begins to tell of changes. Idempotent. */
  start(): void {
    this.#timer ??= this.#options.clock.every(LOOK_EVERY_MS, () => this.#tell(this.obstacle))
  }

  close(): void {
    this.#timer?.cancel()
  }

  get headroom(): readonly Headroom[] {
    return this.#options.headroom
  }

  get obstacle(): Obstacle | undefined {
    const { headroom, retryAfterS } = this.#options
    for (const { resource, kind, reason, obstacle } of headroom) {
      const message = obstacle()
      if (message === undefined) continue
      const factor = kind === 'room' ? 1 : STORAGE_RETRY
      return { resource, kind, reason: reason(), message, retryAfterS: retryAfterS * factor }
    }
    return undefined
  }

  turned(resource: Resource, became: Turned): void {
    this.#options.onTurned(resource, became)
  }

  /** Each change once. Calls are taken all the same where only the journal is short. */
  #tell(first: Obstacle | undefined): void {
    const obstacle = first?.kind === 'certainty' ? undefined : first
    if (obstacle?.resource === this.#told) return
    const { log } = this.#options
    if (obstacle === undefined) log.info({ resource: this.#told }, 'new calls are taken again')
    else
      log.warn(
        { resource: obstacle.resource, reason: obstacle.message },
        'new calls are turned away',
      )
    this.#told = obstacle?.resource
  }
}

/** The resource that an engine's or plane's own refusal speaks of; undefined for one that is no want of any. */
export function resourceOf(code: string): Resource | undefined {
  switch (code) {
    case 'no_ports':
      return 'ports'
    case 'no_files':
      return 'files'
    case 'too_many_recordings':
      return 'recordings'
    case 'engine_overload':
    case 'engine_failed':
    case 'no_decoders':
      return 'engines'
    default:
      return undefined
  }
}
