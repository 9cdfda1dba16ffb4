import type { Channel, TakenLeg } from './channel.ts'
import { ForkLeg } from './fork-leg.ts'
import { MediaStream, type StreamPlace } from './media-stream.ts'
import type { RecordedStream } from './recorded-stream.ts'
import type { Role, StreamPlan } from './recording-plan.ts'
import type { RelayParty } from './relay-party.ts'
import type { SocketPair } from './rtp-sockets.ts'

/**
 * The streams of one recording: which legs are heard on which channel, and whom each stream is passed on to. A stream
 * that was added stays, so that what it counted is not forgotten; one that was released may be added anew.
 */
export class RecordingStreams {
  readonly #channels: readonly [Channel, Channel]
  readonly #streams = new Map<string, RecordedStream>()
  readonly #taken = new Map<RecordedStream, TakenLeg>()
  #all: readonly RecordedStream[] = []
  #legs: readonly TakenLeg[] = []
  #forks: readonly ForkLeg[] = []

  constructor(channels: readonly [Channel, Channel]) {
    this.#channels = channels
  }

  /** In the order in which they were added. */
  get all(): readonly RecordedStream[] {
    return this.#all
  }

  get(streamId: string): RecordedStream | undefined {
    return this.#streams.get(streamId)
  }

  /** The legs of all streams. */
  get legs(): readonly TakenLeg[] {
    return this.#legs
  }

  /** Those that a WebSocket fills. */
  get forks(): readonly ForkLeg[] {
    return this.#forks
  }

  /** Sockets of all streams that there have been. */
  get sockets(): readonly SocketPair[] {
    return this.#all.flatMap((stream) => stream.sockets ?? [])
  }

  /** Whether a packet of any has found its place. */
  get havePlaced(): boolean {
    return this.#all.some((stream) => stream.tally.placed > 0)
  }

  /** The last packet of RTP from a stream's own source, monotonic milliseconds; undefined without RTP streams. */
  get heardAtMs(): number | undefined {
    const heardAtMs = this.#all.flatMap((stream) =>
      stream instanceof MediaStream ? stream.heardAtMs : [],
    )
    return heardAtMs.length === 0 ? undefined : Math.max(...heardAtMs)
  }

  add(stream: RecordedStream): void {
    this.#streams.set(stream.streamId, stream)
    this.#taken.set(stream, { leg: stream.leg, energy: 0 })
    this.#all = [...this.#all, stream]
    this.#legs = [...this.#taken.values()]
    if (stream instanceof ForkLeg) this.#forks = [...this.#forks, stream]
    this.#joinRelays()
    this.#assignLegs()
  }

  /** Gives up what a stream is received on; undefined where it has no sockets of its own. */
  release(streamId: string): StreamPlace | undefined {
    const stream = this.#streams.get(streamId)
    if (!(stream instanceof MediaStream)) return undefined
    this.#streams.delete(streamId)
    return stream.release()
  }

  /** Applies a re-offer to the streams that exist; those it does not name stop receiving. */
  update(plans: readonly StreamPlan[]): void {
    const named = new Map(plans.map((plan) => [plan.streamId, plan]))
    for (const stream of this.#streams.values()) {
      const plan = named.get(stream.streamId)
      if (plan === undefined) stream.deactivate()
      else stream.update(plan)
    }
    this.#joinRelays()
    this.#assignLegs()
  }

  /** The stream's own party, to send it something; undefined where there is no such stream of RTP. */
  party(streamId: string): RelayParty | undefined {
    const stream = this.#streams.get(streamId)
    return stream instanceof MediaStream ? stream.party : undefined
  }

  /** The streams that are heard on a party's channel. */
  heardAs(role: Role): readonly RecordedStream[] {
    return this.#all.filter((stream) => stream.role === role || stream.role === 'mixed')
  }

  #joinRelays(): void {
    for (const stream of this.#all) {
      if (!(stream instanceof MediaStream)) continue
      const { relaysTo } = stream
      stream.relayTo(relaysTo === undefined ? undefined : this.party(relaysTo))
    }
  }

  #assignLegs(): void {
    const legsOf = (role: Role) =>
      this.heardAs(role).flatMap((stream) => this.#taken.get(stream) ?? [])
    const caller = legsOf('caller')
    const isOneStream = this.#all.every((stream) => stream.role === 'mixed')
    this.#channels[0].setLegs(caller)
    // Where both channels carry the same, they share the list, and it is encoded once.
    this.#channels[1].setLegs(isOneStream ? caller : legsOf('agent'))
  }
}
