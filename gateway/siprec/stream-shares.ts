import type { Answer } from './answer-plan.ts'
import type { DividedCall } from './call-division.ts'
import { IdleStreams } from './idle-streams.ts'
import type { SessionCall } from './session-call.ts'
import type { StreamOrigin } from './session-plane.ts'
import type { StreamHolder } from './stream-holder.ts'
import { ownerOf } from './stream-owner.ts'

/** Streams that belong together: a call's, or those of none. */
export interface Share {
  readonly call: SessionCall | undefined
  readonly streams: Answer['streams']
}

/** A session's calls that go on, by their numbers. */
export type LiveCalls = ReadonlyMap<number, SessionCall>

/** Which of a session's streams are whose, and what holds each. Owns what holds streams between calls. */
export class StreamShares {
  readonly #makeIdle: () => IdleStreams
  readonly #holders = new Map<string, StreamHolder>()
  readonly #idle = new Set<IdleStreams>()

  constructor(makeIdle: () => IdleStreams) {
    this.#makeIdle = makeIdle
  }

  /** What holds streams between calls. */
  get idle(): readonly IdleStreams[] {
    return [...this.#idle]
  }

  /**
   * The streams of each call, and those that are of none. One that nothing tells of stays with the call that has it;
   * calls that have streams no more have an empty share.
   */
  of(plan: Answer, divided: readonly DividedCall[], live: LiveCalls): readonly Share[] {
    const shares = new Map<SessionCall | undefined, Answer['streams'][number][]>()
    const calls = [...live.values()]
    for (const stream of plan.streams) {
      const owner = ownerOf(stream, plan, divided)
      const holder = this.#holders.get(stream.streamId)
      const call =
        (owner === undefined ? undefined : live.get(owner)) ??
        calls.find(({ part }) => part === holder)
      // What is refused or gone needs no place of its own.
      if (call === undefined && !isAccepted(stream.streamId, plan)) continue
      shares.set(call, [...(shares.get(call) ?? []), stream])
    }
    for (const call of calls) if (!shares.has(call) && call.part.isOpen) shares.set(call, [])
    return [...shares].map(([call, streams]) => ({ call, streams }))
  }

  /** What is to hold a share, and who has its streams until now. */
  place({ call, streams }: Share): {
    readonly holder: StreamHolder
    readonly from: StreamOrigin
  } {
    const known = streams.flatMap(({ streamId }) => this.#holders.get(streamId) ?? [])
    const holder = call?.part ?? known.find((one) => one instanceof IdleStreams) ?? this.#newIdle()
    const openIds = (holders: Iterable<StreamHolder>) =>
      [...new Set(holders)].flatMap((one) => (one !== holder && one.isOpen ? one.recordingId : []))
    const others = [...this.#holders.values()].filter((one) => !known.includes(one))
    return { holder, from: { before: openIds(known), beside: openIds(others) } }
  }

  /** Whether a stream of the share is held by others than its call. */
  hasMoved({ call, streams }: Share): boolean {
    return streams.some(({ streamId }) => {
      const holder = this.#holders.get(streamId)
      return call !== undefined && holder !== undefined && holder !== call.part
    })
  }

  /** The holder has these streams from now on. */
  placed(holder: StreamHolder, streams: Answer['streams']): void {
    for (const { streamId } of streams) this.#holders.set(streamId, holder)
  }

  /** Those of the plan's streams that a holder has. */
  heldBy(holder: StreamHolder, plan: Answer): Answer['streams'] {
    return plan.streams.filter(({ streamId }) => this.#holders.get(streamId) === holder)
  }

  /** Closes what holds no stream any more. */
  async closeUnused(): Promise<void> {
    const used = new Set(this.#holders.values())
    for (const idle of this.#idle) {
      if (used.has(idle)) continue
      this.#idle.delete(idle)
      await idle.close()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.idle.map((idle) => idle.close()))
  }

  #newIdle(): IdleStreams {
    const idle = this.#makeIdle()
    this.#idle.add(idle)
    return idle
  }
}

function isAccepted(streamId: string, { lines }: Answer): boolean {
  return lines.some((line) => line.kind === 'accepted' && line.streamId === streamId)
}
