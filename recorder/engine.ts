import type { Clock, Timer } from '../base/clock.ts'
import { LoadMeter } from '../base/load-meter.ts'
import type { Log } from '../base/log.ts'
import { PacedClock } from '../base/paced-clock.ts'
import { TallenneError } from '../base/tallenne-error.ts'
import { Announcements } from './announcements.ts'
import { BatchClock, PHASES } from './batch-clock.ts'
import { needsProcess } from './decoding/filter-kinds.ts'
import { FilterProcesses } from './decoding/filter-processes.ts'
import { EncoderEffort } from './encoder-effort.ts'
import { decoderTotals, EngineCounters, forkTotals } from './engine-counters.ts'
import type { EngineNotice, EngineReply, EngineRequest, EngineSettings } from './engine-protocol.ts'
import { EngineReplies } from './engine-replies.ts'
import { FileBudget } from './file-budget.ts'
import { ForkServer } from './fork-server.ts'
import { KernelDrops } from './kernel-drops.ts'
import { OpenRecording } from './open-recording.ts'
import { encodeSilence } from './opus-encoder.ts'
import type { OpenPageSink } from './page-sink.ts'
import { Recording } from './recording.ts'
import type { ForkPlan, RecordingPlan } from './recording-plan.ts'
import { ServedRecordings } from './served-recordings.ts'
import { StreamPorts } from './stream-ports.ts'
import { VoiceEncoders } from './voice-encoders.ts'

export interface EngineOptions {
  readonly settings: EngineSettings
  readonly clock: Clock
  readonly openSink: OpenPageSink
  readonly log: Log
  /** Sends replies and reports to whoever asks the engine. */
  readonly reply: (message: EngineReply | EngineNotice) => void
  /** By default the process's own limit. */
  readonly files?: FileBudget
  /** How busy the thread was since it was asked last, 0 to 1; by default as Node measures it. */
  readonly takeLoad?: () => number
  /** What the kernel threw away; by default as it tells. */
  readonly drops?: Pick<KernelDrops, 'look'>
}

/** A request of one kind. */
type Request<Kind extends EngineRequest['kind']> = Extract<EngineRequest, { readonly kind: Kind }>

const REPORT_EVERY_MS = 1000
/** One or two are usual; a session of many streams has one for each. */
const FORKS_OF_A_RECORDING = 8
/** After the call's end packets on their way are still awaited, so long at most. */
const LONGEST_LINGER_MS = 200

/**
 * One engine: owns its recordings whole, from their sockets to their files, and serves them all from one timer.
 *
 * A datagram goes through six hops, each a file: `media-stream.ts` and `rtp-receiver.ts` (receive: pin and parse) →
 * `timeline-leg.ts` (place) → `recording.ts` (take what is due) → `channel.ts` (encode) → `ogg-opus-writer.ts` (page) →
 * the sink.
 *
 * Lives on one thread. `handle` may be called at any time; replies come through `reply`. An exception while a
 * recording is served ends that recording as `engine_failed` and touches no other.
 */
export class Engine {
  readonly #settings: EngineSettings
  readonly #clock: Clock
  readonly #openSink: OpenPageSink
  /** Made at the start, which also loads the native library: the first call must not wait for that. */
  readonly #silence: Uint8Array
  readonly #encoders: VoiceEncoders
  readonly #replies: EngineReplies
  readonly #ports: StreamPorts
  readonly #processes: FilterProcesses
  readonly #forks: ForkServer | undefined
  readonly #batches: BatchClock
  readonly #files: FileBudget
  readonly #effort: EncoderEffort
  readonly #takeLoad: () => number
  readonly #announcements = new Announcements()
  readonly #counters = new EngineCounters()
  readonly #served: ServedRecordings
  /** Ids whose ports are being bound. */
  readonly #opening = new Set<string>()
  #reporting: Timer | undefined
  #opened = 0
  #isShut = false

  constructor(options: EngineOptions) {
    const { settings, clock, log } = options
    this.#effort = new EncoderEffort(settings.opus, settings.opus.leastComplexity ?? 0)
    this.#settings = { ...settings, opus: this.#effort.opus }
    this.#clock = clock
    this.#openSink = options.openSink
    this.#silence = encodeSilence(settings.opus)
    this.#encoders = new VoiceEncoders(this.#effort.opus)
    this.#replies = new EngineReplies(options.reply, log)
    const files = options.files ?? new FileBudget({ clock })
    this.#files = files
    const load = new LoadMeter()
    this.#takeLoad = options.takeLoad ?? (() => load.take())
    this.#ports = new StreamPorts({ settings, clock, files })
    this.#processes = new FilterProcesses({ most: settings.maxDecoders, files, clock })
    const maxForks = settings.maxRecordings * FORKS_OF_A_RECORDING
    this.#forks = settings.forkListen && new ForkServer({ ...settings.forkListen, maxForks, clock })
    this.#served = new ServedRecordings({
      engineIndex: settings.engineIndex,
      holdBackMs: settings.holdBackMs,
      ports: this.#ports,
      forks: this.#forks,
      announcements: this.#announcements,
      counters: this.#counters,
      replies: this.#replies,
      drops: options.drops ?? new KernelDrops(settings),
      log,
    })
    this.#batches = new BatchClock(clock, (batch) => {
      this.#announcements.sendDue(batch.nowMs)
      this.#served.serve(batch)
    })
  }

  /** Starts the timers. Idempotent. */
  start(): void {
    if (this.#reporting !== undefined || this.#isShut) return
    this.#batches.start()
    this.#reporting = this.#clock.every(REPORT_EVERY_MS, () => this.#report())
  }

  /** Takes a request and answers it, now or when it is done. Never throws. */
  handle(request: EngineRequest): void {
    const { requestId } = request
    switch (request.kind) {
      case 'open':
        void this.#replies.settle(requestId, this.#openRecording(request))
        return
      case 'answered':
        this.#withRecording(request, (open) => {
          open.recording.answer(open.epochAt(request.answeredAtMs))
          this.#replies.done(requestId)
        })
        return
      case 'update':
        this.#withRecording(request, ({ recording }) => {
          void this.#replies.settle(requestId, this.#update(recording, request))
        })
        return
      case 'pause':
        this.#withRecording(request, (open) => {
          open.recording.pauses.begin(open.epochAt(request.atMs), request.cause)
          this.#replies.done(requestId)
        })
        return
      case 'resume':
        this.#withRecording(request, (open) => {
          open.recording.pauses.end(open.epochAt(request.atMs), request.held)
          this.#replies.done(requestId)
        })
        return
      case 'stop':
        this.#withRecording(request, (open) => this.#stop(open, request))
        return
      case 'fork':
        this.#withRecording(request, (open) => {
          this.#expectFork(open, request.fork)
          this.#replies.done(requestId)
        })
        return
      case 'play':
        this.#withRecording(request, (open) => {
          void this.#replies.settle(requestId, this.#play(open, request))
        })
        return
      case 'hush':
        this.#announcements.stop(request.recordingId, request.streamId)
        this.#replies.done(requestId)
        return
      case 'close':
        this.#withRecording(request, (open) => this.#close(open, request))
        return
      case 'live':
        this.#replies.send({ kind: 'live', requestId, recordings: this.#served.live() })
        return
      case 'shutdown':
        void this.#shutDown(requestId)
    }
  }

  async #openRecording({ requestId, plan }: Request<'open'>): Promise<void> {
    const { recordingId } = plan
    this.#admit(plan)
    const { pace = 1 } = plan
    const paced = pace === 1 ? undefined : new PacedClock(this.#clock, pace)
    const recording: Recording = new Recording({
      plan,
      settings: this.#settings,
      clock: paced ?? this.#clock,
      openSink: this.#openSink,
      processes: this.#processes,
      encoders: this.#encoders,
      silence: this.#silence,
      heldUpMs: () => this.#batches.heldUpMs * pace,
      onPausesChanged: () => {
        const { causes: pausedBy, told: pauses } = recording.pauses
        this.#replies.send({ kind: 'pausesChanged', recordingId, pausedBy, pauses })
      },
    })
    this.#opening.add(recordingId)
    try {
      const from = this.#recordingsOf(plan.after)
      const ports = await this.#ports.add(recording, plan.streams, { otherFiles: 1, from })
      const forkPort = plan.forks && (await this.#forks?.start())
      const open = new OpenRecording(recording, this.#opened++ % PHASES, paced)
      this.#served.add(open)
      for (const fork of plan.forks ?? []) this.#expectFork(open, fork)
      this.#counters.add('recordings_opened')
      this.#replies.send({
        kind: 'opened',
        requestId,
        ports,
        ...(forkPort === undefined ? {} : { forkPort }),
      })
    } catch (error) {
      this.#ports.release(recording)
      for (const stream of recording.streams) void stream.finishDecoding()
      throw error
    } finally {
      this.#opening.delete(recordingId)
    }
  }

  /** Throws where the engine cannot take the recording. */
  #admit({ recordingId, streams }: RecordingPlan): void {
    if (this.#served.get(recordingId) !== undefined || this.#opening.has(recordingId)) {
      throw new TallenneError('engine_failed', `recording ${recordingId} is open already`)
    }
    const { engineIndex, maxRecordings, maxDecoders } = this.#settings
    const count = this.#served.size + this.#opening.size
    if (this.#isShut || count >= maxRecordings) {
      throw new TallenneError(
        'too_many_recordings',
        `engine ${engineIndex} holds ${count} of ${maxRecordings} recordings`,
      )
    }
    const needed = streams.filter(needsProcess).length
    if (needed > 0 && this.#served.processStreams + needed > maxDecoders) {
      throw new TallenneError(
        'no_decoders',
        `engine ${engineIndex} has no room for ${needed} of ${maxDecoders} decoder processes`,
      )
    }
  }

  async #update(
    recording: Recording,
    { requestId, streams, after }: Request<'update'>,
  ): Promise<void> {
    recording.updateStreams(streams)
    const added = streams.filter(({ streamId }) => recording.stream(streamId) === undefined)
    await this.#ports.add(recording, added, { otherFiles: 0, from: this.#recordingsOf(after) })
    const ports = streams.flatMap(({ streamId }) => this.#ports.of(recording, streamId))
    this.#replies.send({ kind: 'updated', requestId, ports })
  }

  #recordingsOf(recordingIds: readonly string[] = []): readonly Recording[] {
    return recordingIds.flatMap((recordingId) => this.#served.get(recordingId)?.recording ?? [])
  }

  #expectFork(open: OpenRecording, fork: ForkPlan): void {
    const { recordingId } = open.recording
    const { token } = fork
    open.forks.add(token)
    const legs = open.recording.forkLegs(fork)
    this.#forks?.expect(token, {
      legs,
      onConnected: () => {
        for (const leg of legs) leg.connected()
        this.#replies.send({ kind: 'forkConnected', recordingId, token })
      },
      onEnded: (code) => {
        for (const leg of legs) leg.disconnected()
        this.#replies.send({ kind: 'forkEnded', recordingId, token, code })
      },
    })
  }

  async #play(open: OpenRecording, request: Request<'play'>): Promise<void> {
    const { requestId, recordingId, streamId } = request
    const party = open.recording.party(streamId)
    if (party === undefined) {
      throw new TallenneError('engine_failed', `there is no stream ${streamId} to play to`)
    }
    await this.#announcements.play({
      ...request,
      party,
      now: () => this.#clock.monotonicMs(),
      onEnded: () => this.#replies.done(requestId),
    })
    if (open.closing !== undefined) this.#announcements.stop(recordingId, streamId)
  }

  #close(open: OpenRecording, request: Request<'close'>): void {
    const { requestId, recordingId } = request
    if (open.closing !== undefined) {
      this.#replies.refuse(requestId, 'unknown_recording', 'the recording is being closed already')
      return
    }
    this.#announcements.release(recordingId)
    open.recording.end(open.epochAt(request.endedAtMs), open.reasons(request.reasons))
    open.closing = { requestId, dueAtMs: this.#lingerUntilMs() }
  }

  #stop(open: OpenRecording, { requestId, endedAtMs }: Request<'stop'>): void {
    if (open.stopping !== undefined || open.isConcluded || open.closing !== undefined) {
      this.#replies.refuse(requestId, 'unknown_recording', 'the recording has ended already')
      return
    }
    open.recording.end(open.epochAt(endedAtMs), open.reasons([]))
    open.stopping = { requestId, dueAtMs: this.#lingerUntilMs() }
  }

  #lingerUntilMs(): number {
    return this.#clock.monotonicMs() + Math.min(LONGEST_LINGER_MS, this.#settings.holdBackMs)
  }

  async #shutDown(requestId: number): Promise<void> {
    this.#isShut = true
    this.#ports.close()
    this.#batches.close()
    this.#reporting?.cancel()
    await this.#served.shutDown(this.#clock.epochMs())
    await this.#processes.close()
    this.#forks?.close()
    this.#replies.done(requestId)
  }

  #report(): void {
    const lagMs = Math.round(this.#batches.takeWorstLagMs())
    const load = this.#takeLoad()
    this.#effort.judge({ load, lagMs })
    this.#served.countDrops()
    const totals = this.#counters.totals(this.#served.streamCounters())
    this.#replies.send({
      kind: 'report',
      recordings: this.#served.size,
      portsInUse: this.#ports.inUse,
      portsResting: this.#ports.resting,
      portsFree: this.#ports.free,
      lagMs,
      load,
      leastLoad: this.#effort.loadWhenExhausted(load),
      complexity: this.#effort.complexity,
      filesFree: this.#files.left,
      filesLimit: this.#files.limit,
      decoders: this.#processes.running,
      counters: {
        ...totals,
        ...forkTotals(this.#forks?.counters),
        ...decoderTotals(this.#processes.counters),
      },
    })
  }

  #withRecording(
    { requestId, recordingId }: { readonly requestId: number; readonly recordingId: string },
    act: (open: OpenRecording) => void,
  ): void {
    const open = this.#served.get(recordingId)
    if (open !== undefined) {
      act(open)
      return
    }
    this.#replies.refuse(
      requestId,
      'unknown_recording',
      `engine ${this.#settings.engineIndex} holds no recording ${recordingId}`,
    )
  }
}
