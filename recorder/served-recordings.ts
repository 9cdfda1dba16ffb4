import type { Log } from '../base/log.ts'
import { messageOf } from '../base/tallenne-error.ts'
import type { Announcements } from './announcements.ts'
import type { Batch } from './batch-clock.ts'
import type { EngineCounters } from './engine-counters.ts'
import type { EngineReplies } from './engine-replies.ts'
import type { ForkServer } from './fork-server.ts'
import type { KernelDrops } from './kernel-drops.ts'
import type { Closing, OpenRecording } from './open-recording.ts'
import type { Recording } from './recording.ts'
import type { LiveRecording, StreamCounters } from './recording-plan.ts'
import { SAMPLES_PER_MS } from './sample-clock.ts'
import type { StreamPorts } from './stream-ports.ts'

export interface ServedRecordingsOptions {
  readonly engineIndex: number
  readonly holdBackMs: number
  readonly ports: StreamPorts
  readonly forks: ForkServer | undefined
  readonly announcements: Announcements
  readonly counters: EngineCounters
  readonly replies: EngineReplies
  readonly drops: Pick<KernelDrops, 'look'>
  readonly log: Log
}

/**
 * So many recordings are finished in a turn of the batch clock: what one still holds takes as long to encode as a
 * batch of five does, and calls that are up must not wait for many.
 */
const MOST_FINISHED_AT_ONCE = 4

/** The recordings that an engine holds: serves them batch by batch, and finishes those whose time has come. */
export class ServedRecordings {
  readonly #options: ServedRecordingsOptions
  readonly #open = new Map<string, OpenRecording>()
  readonly #finishing = new Set<Promise<void>>()

  constructor(options: ServedRecordingsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  add(open: OpenRecording): void {
    this.#open.set(open.recording.recordingId, open)
  }

  get(recordingId: string): OpenRecording | undefined {
    return this.#open.get(recordingId)
  }

  live(): readonly LiveRecording[] {
    return [...this.#open.values()].map(({ recording }) => recording.live())
  }

  /** Of all streams of the recordings that are held. */
  streamCounters(): readonly StreamCounters[] {
    return [...this.#open.values()].flatMap(({ recording }) => countersOf(recording))
  }

  /** Streams that nothing but a decoder process makes sound of. */
  get processStreams(): number {
    let count = 0
    for (const { recording } of this.#open.values()) {
      for (const stream of recording.streams) if (stream.needsProcess) count++
    }
    return count
  }

  /** One turn of the batch clock. */
  serve({ timelineMs, phase, isOverloaded }: Batch): void {
    const { holdBackMs, counters } = this.#options
    let finished = 0
    for (const open of this.#open.values()) {
      if (isOverloaded) open.overload()
      const isDue = (end: Closing | undefined): end is Closing =>
        end !== undefined && end.dueAtMs <= timelineMs && finished < MOST_FINISHED_AT_ONCE
      if (isDue(open.closing)) {
        if (finished++ === 0) this.countDrops()
        this.#finish(open)
      } else if (isDue(open.stopping)) {
        finished++
        this.#stop(open, open.stopping)
      } else if (open.phase === phase) {
        open.serve(Math.floor((open.monotonicAt(timelineMs) - holdBackMs) * SAMPLES_PER_MS))
        if (open.hasJustStopped()) this.#tellStopped(open.recording)
        if (open.hasJustFallenBehind()) counters.add('sinks_behind')
      }
    }
  }

  /**
   * Counts what the kernel has thrown away since the last time against the streams that it was for, or against none
   * where they are gone.
   */
  countDrops(): void {
    const lost = new Map(this.#options.drops.look())
    if (lost.size === 0) return
    const take = (port: number) => {
      const packets = lost.get(port) ?? 0
      lost.delete(port)
      return packets
    }
    for (const { recording } of this.#open.values()) {
      for (const { sockets, tally } of recording.streams) {
        if (sockets === undefined) continue
        tally.dropped += take(sockets.rtpPort)
        tally.droppedControl += take(sockets.rtpPort + 1)
      }
    }
    for (const packets of lost.values()) this.#options.counters.add('packets_dropped', packets)
  }

  /** Ends at this moment what still runs, and resolves when every file is finished. */
  async shutDown(endedAtMs: number): Promise<void> {
    this.countDrops()
    for (const open of [...this.#open.values()]) {
      open.recording.end(open.epochAt(endedAtMs), open.reasons(['shutdown']))
      this.#finish(open)
    }
    await Promise.all(this.#finishing)
  }

  /** A recording that cannot go on is told of at once, and its outcome waits for the one who closes it. */
  #tellStopped(recording: Recording): void {
    const { recordingId, stopReason: code, fileProblem: reason } = recording
    if (code === undefined) return
    const { log, replies } = this.#options
    log.error({ err: recording.takeFailure(), recordingId, code, reason }, 'recording stopped')
    replies.send({ kind: 'recordingStopped', recordingId, code })
  }

  /** The recording ends, and its media stays. */
  #stop(open: OpenRecording, { requestId }: Closing): void {
    open.stopping = undefined
    open.recording.deafen()
    void this.#conclude(open, requestId)
  }

  /** What was dropped of it is counted before. */
  #finish(open: OpenRecording): void {
    const { announcements, forks, ports, counters } = this.#options
    const { recording, closing } = open
    recording.close()
    if (open.stopping !== undefined) this.#stop(open, open.stopping)
    this.#open.delete(recording.recordingId)
    announcements.release(recording.recordingId)
    for (const token of open.forks) forks?.release(token)
    ports.release(recording)
    // In the same turn, so that totals never shrink while the file is being finished.
    counters.addStreams(countersOf(recording))
    const finishing = this.#conclude(open, closing?.requestId).finally(() =>
      this.#finishing.delete(finishing),
    )
    this.#finishing.add(finishing)
  }

  async #conclude(open: OpenRecording, requestId: number | undefined): Promise<void> {
    const { engineIndex: engine, replies, log } = this.#options
    try {
      const outcome = await open.conclude()
      if (requestId !== undefined) {
        replies.send({ kind: 'closed', requestId, outcome: { ...outcome, engine } })
      }
    } catch (error) {
      const { recordingId } = open.recording
      log.error({ err: error, recordingId }, 'recording could not be finished')
      if (requestId !== undefined) replies.refuse(requestId, 'engine_failed', messageOf(error))
    }
  }
}

function countersOf(recording: Recording): readonly StreamCounters[] {
  return recording.streams.map((stream) => stream.counters())
}
