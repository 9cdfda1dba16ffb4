import type { StreamCounters } from './recording-plan.ts'

/** The counters of which a packet of RTP that was received ends in exactly one. */
export type PacketCounter =
  | 'placed'
  | 'late'
  | 'duplicate'
  | 'events'
  | 'comfortNoise'
  | 'keepAlive'
  | 'notRtp'
  | 'unrecordable'
  | 'undecodable'

/** Counts a stream's packets while they come: `StreamCounters` that can still change. */
export class StreamTally {
  placed = 0
  late = 0
  duplicate = 0
  events = 0
  comfortNoise = 0
  keepAlive = 0
  stun = 0
  zrtp = 0
  dtls = 0
  rtcp = 0
  dropped = 0
  droppedControl = 0
  wrongSource = 0
  wrongPayloadType = 0
  notRtp = 0
  whileInactive = 0
  unauthenticated = 0
  replayed = 0
  keyExpired = 0
  keyOutlived = 0
  longestUnauthenticatedRun = 0
  unrecordable = 0
  undecodable = 0
  repaired = 0
  lostPackets = 0
  ssrcChanges = 0
  reanchored = 0
  relayed = 0
  unrelayed = 0
  jitterMs = 0
  concealedMs = 0

  /** The counters as they are now. */
  snapshot(stream: Pick<StreamCounters, 'streamId' | 'role' | 'codec'>): StreamCounters {
    return { ...stream, ...this }
  }
}
