import type { Clock } from '../../base/clock.ts'
import type { TransportName } from '../sip-server/transport.ts'
import { BoundedMap } from './bounded-map.ts'

export type BanReason = 'scanner' | 'malformed' | 'refused' | 'credentials' | 'stranger'

export interface Ban {
  readonly source: string
  readonly reason: BanReason
  /**
   * A sender of datagrams may write any source address, so that what datagrams earn shuts out datagrams alone: nobody
   * keeps another one's connections out.
   */
  readonly scope: 'datagrams' | 'everything'
  /** Milliseconds since 1970. */
  readonly untilMs: number
}

interface Offender {
  sinceMs: number
  offences: number
}

const WINDOW_MS = 60_000
const MOST_OFFENDERS = 10_000
const MOST_BANS = 10_000

/** Counts offences of sources, and remembers who is banned and for how long. Sources are keys of `sourceKey`. */
export class BanList {
  readonly #most: number
  readonly #banMs: number
  readonly #clock: Clock
  readonly #onBanned: (ban: Ban) => void
  readonly #offenders = new BoundedMap<Offender>(MOST_OFFENDERS)
  readonly #bans = new BoundedMap<Ban>(MOST_BANS)

  constructor(options: {
    /** So many offences within a minute, and the source is banned. */
    readonly offencesAMinute: number
    /** 0 bans nobody. */
    readonly banMs: number
    readonly clock: Clock
    /** Called once for each ban. */
    readonly onBanned: (ban: Ban) => void
  }) {
    this.#most = options.offencesAMinute
    this.#banMs = options.banMs
    this.#clock = options.clock
    this.#onBanned = options.onBanned
  }

  /** Those that hold, the oldest first. */
  list(): readonly Ban[] {
    const nowMs = this.#clock.epochMs()
    return [...this.#bans.entries()].map(([, ban]) => ban).filter(({ untilMs }) => untilMs > nowMs)
  }

  /** Whether nobody is banned, which need not be asked by source then. */
  get isEmpty(): boolean {
    return this.#bans.size === 0
  }

  isBanned(source: string, transport: TransportName): boolean {
    const ban = this.#bans.get(source)
    if (ban === undefined) return false
    if (ban.untilMs <= this.#clock.epochMs()) {
      this.#bans.delete(source)
      return false
    }
    return ban.scope === 'everything' || transport === 'udp'
  }

  /** Takes note of an offence, which bans the source when it is one too many. */
  note(source: string, reason: BanReason, transport: TransportName): void {
    const nowMs = this.#clock.monotonicMs()
    const key = `${source} ${scopeOf(transport)}`
    const known = this.#offenders.get(key)
    const isRecent = known !== undefined && nowMs - known.sinceMs <= WINDOW_MS
    const offender = isRecent ? known : { sinceMs: nowMs, offences: 0 }
    offender.offences += 1
    if (offender.offences >= this.#most) {
      this.#offenders.delete(key)
      this.ban(source, reason, transport)
    } else if (!isRecent) {
      this.#offenders.set(key, offender)
    }
  }

  ban(source: string, reason: BanReason, transport: TransportName): void {
    if (this.#banMs === 0) return
    const nowMs = this.#clock.epochMs()
    const scope = scopeOf(transport)
    const earlier = this.#bans.get(source)
    const isBanned = earlier !== undefined && earlier.untilMs > nowMs
    if (isBanned && (earlier.scope === 'everything' || earlier.scope === scope)) return
    const ban = { source, reason, scope, untilMs: nowMs + this.#banMs }
    this.#bans.set(source, ban)
    this.#onBanned(ban)
  }

  /** False where it was not banned. */
  lift(source: string): boolean {
    return this.#bans.delete(source)
  }
}

function scopeOf(transport: TransportName): Ban['scope'] {
  return transport === 'udp' ? 'datagrams' : 'everything'
}
