import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { maskTarget } from '../sip/mask-target.ts'

/** Sends one OPTIONS and tells whether anything but a timeout or a transport failure came back. */
export type Probe = (uri: string) => Promise<boolean>

export interface TargetHealthOptions {
  readonly uris: readonly string[]
  /** Seconds; 0 never probes and takes every target as up. */
  readonly everyS: number
  /** So many failures in a row and a target is down; one answer and it is up. */
  readonly failures: number
  readonly probe: Probe
  readonly clock: Clock
  readonly log: Log
}

/**
 * Judges targets by OPTIONS keep-alives (RFC 3261 §11). A target is up until it is known to be down, and any
 * answer, whatever its status, says that somebody is there. A call that found no answer counts as a failure too.
 */
export class TargetHealth {
  readonly #options: TargetHealthOptions
  readonly #failures = new Map<string, number>()
  readonly #probing = new Set<string>()
  #timer: Timer | undefined

  constructor(options: TargetHealthOptions) {
    this.#options = options
  }

  start(): void {
    const { everyS, clock } = this.#options
    if (everyS === 0 || this.#timer) return
    this.#timer = clock.every(everyS * 1000, () => this.probeAll())
    this.probeAll()
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  isUp(uri: string): boolean {
    return (this.#failures.get(uri) ?? 0) < this.#options.failures
  }

  /** Every target and whether it is up, for metrics. */
  get judgements(): ReadonlyMap<string, boolean> {
    return new Map(this.#options.uris.map((uri) => [uri, this.isUp(uri)]))
  }

  /** One probe to each target whose last one has come to an end. */
  probeAll(): void {
    for (const uri of new Set(this.#options.uris)) void this.#probe(uri)
  }

  tookCall(uri: string): void {
    this.#judge(uri, true)
  }

  leftCall(uri: string): void {
    this.#judge(uri, false)
  }

  async #probe(uri: string): Promise<void> {
    if (this.#probing.has(uri)) return
    this.#probing.add(uri)
    const isThere = await this.#options.probe(uri).catch(() => false)
    this.#probing.delete(uri)
    this.#judge(uri, isThere)
  }

  #judge(uri: string, isThere: boolean): void {
    // Calls to a target that nobody watches must not take it out for good: only a probe brings it back.
    if (this.#options.everyS === 0 || !this.#options.uris.includes(uri)) return
    const wasUp = this.isUp(uri)
    this.#failures.set(uri, isThere ? 0 : (this.#failures.get(uri) ?? 0) + 1)
    const isUp = this.isUp(uri)
    if (wasUp === isUp) return
    const target = maskTarget(uri)
    this.#options.log.warn({ target, isUp }, isUp ? 'target is back' : 'target is down')
  }
}
