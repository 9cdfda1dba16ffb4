import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { Announcements } from './announcements.ts'
import { EngineCounters } from './engine-counters.ts'
import type { EngineNotice, EngineReply, EngineRequest, EngineSettings } from './engine-protocol.ts'
import { FileBudget } from './file-budget.ts'
import { ForkServer } from './fork-server.ts'
import { encodeSilence } from './opus-encoder.ts'
import type { OpenPageSink } from './page-sink.ts'
import { PortPool } from './port-pool.ts'
import { Recording } from './recording.ts'
import type { ForkPlan, ReasonCode, StreamPlan, StreamPort } from './recording-plan.ts'
import { bindSocketPair, closeSocketPair } from './rtp-sockets.ts'
import { SAMPLES_PER_MS } from './sample-clock.ts'

export interface EngineOptions {
  readonly settings: EngineSettings
  readonly clock: Clock
  readonly openSink: OpenPageSink
  readonly log: Log
  /** Sends replies and reports to whoever asks the engine. */
  readonly reply: (message: EngineReply | EngineNotice) => void
  /** By default the process's own limit. */
  readonly files?: FileBudget
}

/** The timer's period. Each tick serves a fifth of the recordings, so each is served every 100 ms. */
const TICK_MS = 20
const PHASES = 5
/** The timeline catches up at three times its pace at most, so that sockets are read before slots are taken. */
const MOST_PER_TICK_MS = 3 * TICK_MS
const REPORT_EVERY_MS = 1000
/** After the call's end packets on their way are still awaited, so long at most. */
const LONGEST_LINGER_MS = 200
/** A timeline so far behind the clock has lost packets, or soon will. */
const OVERLOAD_MS = 1000
const SINK_BEHIND_BYTES = 1024 * 1024
/** Two sockets for each stream, and the file. */
const FILES_PER_STREAM = 2

interface Slot {
  readonly recording: Recording
  readonly phase: number
  /** Tokens of its forks. */
  readonly forks: Set<string>
  closing: { readonly requestId: number | undefined; readonly dueAtMs: number } | undefined
  wasOverloaded: boolean
  wasBehind: boolean
  hasStopped: boolean
}

/**
 * One engine: owns its recordings whole, from their sockets to their files, and serves them all from one timer.
 *
 * A datagram goes through six hops, each a file: `media-stream.ts` (receive: parse and pin) → `timeline-leg.ts`
 * (place) → `recording.ts` (take what is due) → `channel.ts` (encode) → `ogg-opus-writer.ts` (page) → the sink.
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
  readonly #log: Log
  readonly #reply: EngineOptions['reply']
  readonly #ports: PortPool
  readonly #forks: ForkServer | undefined
  readonly #files: FileBudget
  readonly #announcements = new Announcements()
  readonly #counters = new EngineCounters()
  readonly #slots = new Map<string, Slot>()
  readonly #opening = new Set<string>()
  readonly #finishing = new Set<Promise<void>>()
  #timers: readonly Timer[] = []
  /** How far the timeline may go: the clock as the last tick read it, or less while it catches up. */
  #timelineMs: number
  #tickedAtMs: number
  #ticks = 0
  #opened = 0
  #worstLagMs = 0
  #isShut = false

  constructor(options: EngineOptions) {
    this.#settings = options.settings
    this.#clock = options.clock
    this.#openSink = options.openSink
    this.#silence = encodeSilence(options.settings.opus)
    this.#log = options.log
    this.#reply = options.reply
    this.#files = options.files ?? new FileBudget({ clock: options.clock })
    const { portFrom: from, portTo: to, portRestMs: restMs } = options.settings
    this.#ports = new PortPool({ from, to, restMs, clock: options.clock })
    const { forkListen } = options.settings
    this.#forks = forkListen && new ForkServer({ ...forkListen, clock: options.clock })
    this.#timelineMs = options.clock.monotonicMs()
    this.#tickedAtMs = this.#timelineMs
  }

  /** Starts the timers. Idempotent. */
  start(): void {
    if (this.#timers.length > 0 || this.#isShut) return
    this.#timelineMs = this.#clock.monotonicMs()
    this.#tickedAtMs = this.#timelineMs
    this.#timers = [
      this.#clock.every(TICK_MS, () => this.#tick()),
      this.#clock.every(REPORT_EVERY_MS, () => this.#report()),
    ]
  }

  /** Takes a request and answers it, now or when it is done. Never throws. */
  handle(request: EngineRequest): void {
    switch (request.kind) {
      case 'open':
        void this.#settle(request.requestId, this.#open(request))
        return
      case 'answered':
        this.#withSlot(request, ({ recording }) => {
          recording.answer(request.answeredAtMs)
          this.#reply({ kind: 'done', requestId: request.requestId })
        })
        return
      case 'update':
        this.#withSlot(request, (slot) => {
          void this.#settle(request.requestId, this.#update(slot.recording, request))
        })
        return
      case 'fork':
        this.#withSlot(request, (slot) => {
          this.#expectFork(slot, request.fork)
          this.#reply({ kind: 'done', requestId: request.requestId })
        })
        return
      case 'play':
        this.#withSlot(request, (slot) => {
          void this.#settle(request.requestId, this.#play(slot, request))
        })
        return
      case 'hush':
        this.#announcements.stop(request.recordingId, request.streamId)
        this.#reply({ kind: 'done', requestId: request.requestId })
        return
      case 'close':
        this.#withSlot(request, (slot) => this.#close(slot, request))
        return
      case 'live':
        this.#reply({
          kind: 'live',
          requestId: request.requestId,
          recordings: [...this.#slots.values()].map(({ recording }) => recording.live()),
        })
        return
      case 'shutdown':
        void this.#shutDown(request.requestId)
    }
  }

  async #open(request: Extract<EngineRequest, { kind: 'open' }>): Promise<void> {
    const { requestId, plan } = request
    const { recordingId } = plan
    if (this.#slots.has(recordingId) || this.#opening.has(recordingId)) {
      this.#refuse(requestId, 'engine_failed', `recording ${recordingId} is open already`)
      return
    }
    const count = this.#slots.size + this.#opening.size
    if (this.#isShut || count >= this.#settings.maxRecordings) {
      this.#refuse(
        requestId,
        'too_many_recordings',
        `engine ${this.#settings.engineIndex} holds ${count} of ${this.#settings.maxRecordings} recordings`,
      )
      return
    }
    if (!this.#files.grant(plan.streams.length * FILES_PER_STREAM + 1)) {
      this.#refuse(requestId, 'no_files', 'the process is near its limit of open files')
      return
    }
    this.#opening.add(recordingId)
    const recording = new Recording({
      plan,
      settings: this.#settings,
      clock: this.#clock,
      openSink: this.#openSink,
      silence: this.#silence,
    })
    try {
      const ports = await this.#addStreams(recording, plan.streams)
      if (ports === undefined) {
        this.#closeSockets(recording)
        this.#refuse(requestId, 'no_ports', this.#portsMessage())
        return
      }
      const forkPort = plan.forks && (await this.#forks?.start())
      const slot: Slot = {
        recording,
        phase: this.#opened++ % PHASES,
        forks: new Set(),
        closing: undefined,
        wasOverloaded: false,
        wasBehind: false,
        hasStopped: false,
      }
      this.#slots.set(recordingId, slot)
      for (const fork of plan.forks ?? []) this.#expectFork(slot, fork)
      this.#counters.add('recordings_opened')
      this.#reply({
        kind: 'opened',
        requestId,
        ports,
        ...(forkPort === undefined ? {} : { forkPort }),
      })
    } catch (error) {
      this.#closeSockets(recording)
      throw error
    } finally {
      this.#opening.delete(recordingId)
    }
  }

  async #update(
    recording: Recording,
    request: Extract<EngineRequest, { kind: 'update' }>,
  ): Promise<void> {
    recording.updateStreams(request.streams)
    const added = request.streams.filter(({ streamId }) => recording.stream(streamId) === undefined)
    if (added.length > 0 && !this.#files.grant(added.length * FILES_PER_STREAM)) {
      this.#refuse(request.requestId, 'no_files', 'the process is near its limit of open files')
      return
    }
    if ((await this.#addStreams(recording, added)) === undefined) {
      this.#refuse(request.requestId, 'no_ports', this.#portsMessage())
      return
    }
    const ports = request.streams.flatMap(({ streamId }) => this.#portOf(recording, streamId) ?? [])
    this.#reply({ kind: 'updated', requestId: request.requestId, ports })
  }

  /** Undefined where the ports ran out; the streams added until then stay with the recording. */
  async #addStreams(
    recording: Recording,
    plans: readonly StreamPlan[],
  ): Promise<readonly StreamPort[] | undefined> {
    const ports: StreamPort[] = []
    for (const plan of plans) {
      const pair = await bindSocketPair(this.#ports, this.#settings.bindAddress)
      if (pair === undefined) return undefined
      if (recording.isFinished || this.#isShut) {
        closeSocketPair(pair, this.#ports)
        throw new TallenneError('engine_failed', 'the recording was closed meanwhile')
      }
      recording.addStream(plan, pair)
      ports.push(...(this.#portOf(recording, plan.streamId) ?? []))
    }
    return ports
  }

  #portOf(recording: Recording, streamId: string): readonly StreamPort[] | undefined {
    const sockets = recording.stream(streamId)?.sockets
    if (sockets === undefined) return undefined
    const { rtpPort } = sockets
    return [{ streamId, address: this.#settings.advertisedAddress, rtpPort, rtcpPort: rtpPort + 1 }]
  }

  #expectFork(slot: Slot, fork: ForkPlan): void {
    const { recordingId } = slot.recording
    const { token } = fork
    slot.forks.add(token)
    const legs = slot.recording.forkLegs(fork)
    this.#forks?.expect(token, {
      legs,
      onConnected: () => {
        for (const leg of legs) leg.connected()
        this.#reply({ kind: 'forkConnected', recordingId, token })
      },
      onEnded: (code) => {
        for (const leg of legs) leg.disconnected()
        this.#reply({ kind: 'forkEnded', recordingId, token, code })
      },
    })
  }

  async #play(slot: Slot, request: Extract<EngineRequest, { kind: 'play' }>): Promise<void> {
    const { requestId, streamId } = request
    const party = slot.recording.party(streamId)
    if (party === undefined) {
      throw new TallenneError('engine_failed', `there is no stream ${streamId} to play to`)
    }
    await this.#announcements.play({
      ...request,
      party,
      now: () => this.#clock.monotonicMs(),
      onEnded: () => this.#reply({ kind: 'done', requestId }),
    })
    if (slot.closing !== undefined) this.#announcements.stop(request.recordingId, streamId)
  }

  #close(slot: Slot, request: Extract<EngineRequest, { kind: 'close' }>): void {
    if (slot.closing !== undefined) {
      this.#refuse(request.requestId, 'unknown_recording', 'the recording is being closed already')
      return
    }
    this.#announcements.release(request.recordingId)
    slot.recording.end(request.endedAtMs, this.#reasonsOf(slot, request.reasons))
    slot.closing = {
      requestId: request.requestId,
      dueAtMs: this.#clock.monotonicMs() + Math.min(LONGEST_LINGER_MS, this.#settings.holdBackMs),
    }
  }

  /** One turn of the batch clock. */
  #tick(): void {
    const now = this.#clock.monotonicMs()
    // What the tick before read of the clock, since sockets were read in between; never too much at once.
    this.#timelineMs = Math.min(this.#tickedAtMs, this.#timelineMs + MOST_PER_TICK_MS)
    this.#worstLagMs = Math.max(this.#worstLagMs, now - this.#tickedAtMs - TICK_MS)
    this.#tickedAtMs = now
    const isOverloaded = now - this.#timelineMs > OVERLOAD_MS
    const phase = this.#ticks++ % PHASES
    this.#announcements.sendDue(now)
    const position = Math.floor((this.#timelineMs - this.#settings.holdBackMs) * SAMPLES_PER_MS)
    for (const slot of this.#slots.values()) {
      if (isOverloaded) slot.wasOverloaded = true
      if (slot.closing !== undefined && slot.closing.dueAtMs <= this.#timelineMs) this.#finish(slot)
      else if (slot.phase === phase) this.#serve(slot, position)
    }
  }

  #serve(slot: Slot, position: number): void {
    const { recording } = slot
    try {
      recording.advance(position)
      recording.report()
    } catch (error) {
      recording.fail(error)
    }
    this.#tellIfStopped(slot)
    if (!slot.wasBehind && recording.pendingBytes > SINK_BEHIND_BYTES) {
      slot.wasBehind = true
      this.#counters.add('sinks_behind')
    }
  }

  /** A recording that cannot go on is told of at once, and its outcome waits for the one who closes it. */
  #tellIfStopped(slot: Slot): void {
    const { recordingId, stopReason } = slot.recording
    if (stopReason === undefined || slot.hasStopped) return
    slot.hasStopped = true
    const failure = slot.recording.takeFailure()
    this.#log.error({ err: failure, recordingId, code: stopReason }, 'recording stopped')
    this.#reply({ kind: 'recordingStopped', recordingId, code: stopReason })
  }

  #finish(slot: Slot): void {
    const { recording } = slot
    this.#slots.delete(recording.recordingId)
    this.#announcements.release(recording.recordingId)
    for (const token of slot.forks) this.#forks?.release(token)
    this.#closeSockets(recording)
    // In the same turn, so that totals never shrink while the file is being finished.
    this.#counters.addStreams([...recording.streams].map((stream) => stream.counters()))
    const finishing = this.#conclude(slot).finally(() => this.#finishing.delete(finishing))
    this.#finishing.add(finishing)
  }

  async #conclude(slot: Slot): Promise<void> {
    const { recording, closing } = slot
    try {
      const outcome = await recording.finish()
      this.#counters.add(`verdict_${outcome.verdict}`)
      if (closing?.requestId !== undefined) {
        this.#reply({ kind: 'closed', requestId: closing.requestId, outcome })
      }
    } catch (error) {
      this.#log.error(
        { err: error, recordingId: recording.recordingId },
        'recording could not be finished',
      )
      if (closing?.requestId !== undefined) {
        this.#refuse(closing.requestId, 'engine_failed', messageOf(error))
      }
    }
  }

  async #shutDown(requestId: number): Promise<void> {
    this.#isShut = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers = []
    for (const slot of [...this.#slots.values()]) {
      slot.recording.end(this.#clock.epochMs(), this.#reasonsOf(slot, ['shutdown']))
      this.#finish(slot)
    }
    await Promise.all(this.#finishing)
    this.#forks?.close()
    this.#reply({ kind: 'done', requestId })
  }

  #report(): void {
    const counters = this.#counters.totals(
      [...this.#slots.values()].flatMap(({ recording }) =>
        [...recording.streams].map((stream) => stream.counters()),
      ),
    )
    this.#reply({
      kind: 'report',
      recordings: this.#slots.size,
      portsInUse: this.#ports.inUse,
      portsFree: this.#ports.free,
      lagMs: Math.round(this.#worstLagMs),
      counters: { ...counters, ...this.#forkCounters() },
    })
    this.#worstLagMs = 0
  }

  #forkCounters(): Readonly<Record<string, number>> {
    if (this.#forks === undefined) return {}
    const { accepted, refused, text, idle } = this.#forks.counters
    return {
      forks_accepted: accepted,
      forks_refused: refused,
      forks_idle: idle,
      fork_texts: text,
    }
  }

  #reasonsOf(slot: Slot, reasons: readonly ReasonCode[]): readonly ReasonCode[] {
    return slot.wasOverloaded ? [...reasons, 'engine_overload'] : reasons
  }

  /** Closes what the recording listens on; its ports rest from now on. */
  #closeSockets(recording: Recording): void {
    for (const pair of recording.sockets) closeSocketPair(pair, this.#ports)
  }

  #portsMessage(): string {
    const { portFrom, portTo } = this.#settings
    return `no pair of ports is free in ${portFrom}–${portTo} (${this.#ports.inUse} in use, others rest)`
  }

  #withSlot(
    request: { readonly requestId: number; readonly recordingId: string },
    act: (slot: Slot) => void,
  ): void {
    const slot = this.#slots.get(request.recordingId)
    if (slot === undefined) {
      this.#refuse(
        request.requestId,
        'unknown_recording',
        `engine ${this.#settings.engineIndex} holds no recording ${request.recordingId}`,
      )
      return
    }
    act(slot)
  }

  async #settle(requestId: number, work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      const code = error instanceof TallenneError ? error.code : 'engine_failed'
      // What is wrong with a sound file is for the one who asked to tell.
      if (code === 'engine_failed')
        this.#log.error({ err: error, requestId }, 'engine request failed')
      this.#refuse(requestId, code, messageOf(error))
    }
  }

  #refuse(requestId: number, code: string, message: string): void {
    this.#reply({ kind: 'refused', requestId, code, message })
  }
}
