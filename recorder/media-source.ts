import { comparableSource } from './expected-source.ts'
import type { MediaAddress } from './recording-plan.ts'

/** Whom a packet comes from. */
export interface PacketOrigin {
  readonly address: string
  readonly port: number
  readonly ssrc: number
  readonly sequenceNumber: number
  /** Monotonic milliseconds. */
  readonly arrivedAtMs: number
}

/**
 * `accepted`: from the pinned source. `switched`: the packet and those held before it are from the newly pinned one.
 * `held`: the sender may turn out to be the source; keep the packet. `refused`: somebody else.
 */
export type SourceDecision = 'accepted' | 'switched' | 'held' | 'refused'

type Rank = 'signalled' | 'pinned' | 'unknown'

interface Flow {
  readonly address: string
  readonly port: number
  readonly ssrc: number
}

interface Candidate extends Flow {
  readonly rank: Rank
  readonly sinceMs: number
  nextSequence: number
  run: number
  heardAtMs: number
}

const MIN_SEQUENTIAL = 2
const OLD_IS_SILENT_MS = 100
/** So long an unknown source waits for the signalled one to speak. */
const GRACE_MS = 200
const CANDIDATE_EXPIRES_MS = 500
const RANKS: Record<Rank, number> = { signalled: 2, pinned: 1, unknown: 0 }

/**
 * Pins a stream to one source address and one SSRC, so that nobody else's audio enters it.
 *
 * - The signalled address is accepted at once, and always displaces a learned one.
 * - Where media comes from elsewhere (NAT), that address is learned once: after two packets in sequence, and only if
 *   the signalled one stays silent for 200 ms. It holds until a re-offer.
 * - A new SSRC of the pinned address needs two packets in sequence, and the old one silent for 100 ms or a re-offer.
 */
export class MediaSource {
  #signalled: MediaAddress | undefined
  #pinned: Flow | undefined
  #heardAtMs = Number.NEGATIVE_INFINITY
  #candidate: Candidate | undefined
  #mayLearn = true
  #wasReoffered = false

  constructor(remote: MediaAddress | undefined) {
    this.#signalled = comparableSource(remote)
  }

  /** Where packets come from now; undefined before the first was accepted. */
  get address(): MediaAddress | undefined {
    return this.#pinned
  }

  /** The SSRC that is heard now. */
  get ssrc(): number | undefined {
    return this.#pinned?.ssrc
  }

  /** Whether a packet is from the source that is heard now. Changes nothing. */
  isPinned(flow: Flow): boolean {
    const pinned = this.#pinned
    return pinned !== undefined && isFrom(pinned, flow) && pinned.ssrc === flow.ssrc
  }

  /** A re-offer: sources may change now. The pinned one goes on until another takes its place. */
  reoffer(remote: MediaAddress | undefined): void {
    const signalled = comparableSource(remote)
    const isSame =
      signalled?.address === this.#signalled?.address && signalled?.port === this.#signalled?.port
    this.#signalled = signalled
    this.#wasReoffered = true
    if (!isSame) this.#mayLearn = true
  }

  judge(packet: PacketOrigin): SourceDecision {
    const pinned = this.#pinned
    if (this.isPinned(packet)) {
      this.#heardAtMs = packet.arrivedAtMs
      return 'accepted'
    }
    const rank = this.#rank(packet)
    if (rank === 'unknown' && !this.#mayLearn) return 'refused'
    if (rank === 'signalled' && pinned === undefined) return this.#pin(packet, rank)
    const candidate = this.#follow(packet, rank)
    if (candidate === undefined) return 'refused'
    return this.#isReady(candidate, packet.arrivedAtMs) ? this.#pin(packet, rank) : 'held'
  }

  #rank(packet: PacketOrigin): Rank {
    const pinned = this.#pinned
    const signalled = this.#signalled
    if (signalled !== undefined && isFrom(signalled, packet)) {
      return pinned !== undefined && isFrom(pinned, packet) ? 'pinned' : 'signalled'
    }
    return pinned !== undefined && isFrom(pinned, packet) ? 'pinned' : 'unknown'
  }

  /** The candidate that the packet belongs to; undefined where another one comes first. */
  #follow(packet: PacketOrigin, rank: Rank): Candidate | undefined {
    const candidate = this.#candidate
    const now = packet.arrivedAtMs
    if (candidate !== undefined && isFrom(candidate, packet) && candidate.ssrc === packet.ssrc) {
      candidate.run = packet.sequenceNumber === candidate.nextSequence ? candidate.run + 1 : 1
      candidate.nextSequence = (packet.sequenceNumber + 1) & 0xffff
      candidate.heardAtMs = now
      return candidate
    }
    if (
      candidate !== undefined &&
      RANKS[candidate.rank] >= RANKS[rank] &&
      now - candidate.heardAtMs < CANDIDATE_EXPIRES_MS
    ) {
      return undefined
    }
    this.#candidate = {
      address: packet.address,
      port: packet.port,
      ssrc: packet.ssrc,
      rank,
      sinceMs: now,
      nextSequence: (packet.sequenceNumber + 1) & 0xffff,
      run: 1,
      heardAtMs: now,
    }
    return this.#candidate
  }

  #isReady(candidate: Candidate, nowMs: number): boolean {
    if (candidate.run < MIN_SEQUENTIAL) return false
    const silentMs = nowMs - this.#heardAtMs
    switch (candidate.rank) {
      case 'signalled':
        return true
      case 'pinned':
        return this.#wasReoffered || silentMs >= OLD_IS_SILENT_MS
      case 'unknown':
        if (silentMs < GRACE_MS) return false
        return this.#signalled === undefined || nowMs - candidate.sinceMs >= GRACE_MS
    }
  }

  #pin(packet: PacketOrigin, rank: Rank): SourceDecision {
    this.#pinned = { address: packet.address, port: packet.port, ssrc: packet.ssrc }
    this.#heardAtMs = packet.arrivedAtMs
    this.#candidate = undefined
    this.#wasReoffered = false
    // A source that was learned, or that was signalled and speaks, is the only one until the next re-offer.
    if (rank !== 'pinned') this.#mayLearn = false
    return 'switched'
  }
}

function isFrom(flow: MediaAddress, packet: MediaAddress): boolean {
  return flow.port === packet.port && flow.address === packet.address
}
