import { Counter, Histogram, type Registry } from 'prom-client'
import type { RecordingOutcome, StreamCounters, Verdict } from '../recorder/recording-plan.ts'
import type { CallEvents, CallSource } from './calls/call-events.ts'

/** What is counted from the start on, so that what has not happened yet is told from what is not watched. */
export interface KnownLabels {
  readonly sources: readonly CallSource[]
  readonly serviceLines: readonly string[]
}

const VERDICTS: readonly Verdict[] = ['complete', 'partial', 'silent', 'failed']
/** Ends that alerts are about: counted from 0 on, since an increase is seen only of what was there before. */
const WATCHED_ENDS: Readonly<Record<CallSource['capture'], readonly string[]>> = {
  siprec: [
    ...['bye', 'refused_400', 'refused_488', 'refused_503', 'no_decodable_codec'],
    ...['no_answer_in_ack', 'no_ack', 'session_expired', 'engine_failed', 'internal_error'],
  ],
  trunk: [
    ...['bye', 'platform_bye', 'refused_400', 'refused_488', 'refused_500', 'refused_503'],
    ...['no_answer_in_ack', 'no_ack', 'session_expired', 'media_lost'],
  ],
}
/** Around the promise of 5 ms idle and 50 ms at rated load. */
const SETUP_BUCKETS_S = [0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 4]
/** People answer these calls. */
const ANSWER_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300]
/** From a quiet network to one that speech suffers from. */
const JITTER_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5]
/** 0 is a bucket of its own; 1 % marks a recording and 5 % makes it partial. */
const LOSS_BUCKETS = [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5]

/** Metrics of calls and their recordings; docs/metrics.md describes each. */
export class CallMetrics implements CallEvents {
  readonly #arrived: Counter<'capture' | 'peer'>
  readonly #unrouted: Counter
  readonly #ended: Counter<'capture' | 'peer' | 'reason'>
  readonly #setup: Histogram
  readonly #answer: Histogram
  readonly #verdicts: Counter<'line' | 'verdict'>
  readonly #reasons: Counter<'verdict' | 'reason'>
  readonly #recordedSeconds: Counter
  readonly #recordedBytes: Counter
  readonly #lostSeconds: Counter
  readonly #jitter: Histogram
  readonly #loss: Histogram

  constructor(registry: Registry, { sources, serviceLines }: KnownLabels) {
    const registers = [registry]
    this.#arrived = new Counter({
      name: 'tallenne_calls_total',
      help: 'Recording sessions (siprec) and trunk calls taken up, by who sent them.',
      labelNames: ['capture', 'peer'],
      registers,
    })
    this.#unrouted = new Counter({
      name: 'tallenne_invites_unrouted_total',
      help: 'INVITEs that were for nobody and were answered 404.',
      registers,
    })
    this.#ended = new Counter({
      name: 'tallenne_calls_ended_total',
      help: 'Recording sessions and trunk calls that ended, by who sent them and why.',
      labelNames: ['capture', 'peer', 'reason'],
      registers,
    })
    this.#setup = new Histogram({
      name: 'tallenne_invite_to_200_seconds',
      help: 'From the INVITE of a recording session to its 200.',
      buckets: SETUP_BUCKETS_S,
      registers,
    })
    this.#answer = new Histogram({
      name: 'tallenne_trunk_answer_seconds',
      help: 'From the INVITE of a trunk call to its 200: how long it rang, announcements included.',
      buckets: ANSWER_BUCKETS_S,
      registers,
    })
    this.#verdicts = new Counter({
      name: 'tallenne_recordings_total',
      help: 'Recordings that have their verdict, by service line.',
      labelNames: ['line', 'verdict'],
      registers,
    })
    this.#reasons = new Counter({
      name: 'tallenne_recording_reasons_total',
      help: 'Reason codes of verdicts; a verdict may have several.',
      labelNames: ['verdict', 'reason'],
      registers,
    })
    this.#recordedSeconds = new Counter({
      name: 'tallenne_recorded_seconds_total',
      help: 'Length of the audio of ended recordings.',
      registers,
    })
    this.#recordedBytes = new Counter({
      name: 'tallenne_recorded_bytes_total',
      help: 'Bytes of the files of ended recordings.',
      registers,
    })
    this.#lostSeconds = new Counter({
      name: 'tallenne_lost_seconds_total',
      help: 'Audio that was sent and is in no file, of ended recordings.',
      registers,
    })
    this.#jitter = new Histogram({
      name: 'tallenne_leg_jitter_seconds',
      help: 'Interarrival jitter of each leg that was heard, at its recording’s end (RFC 3550).',
      buckets: JITTER_BUCKETS_S,
      registers,
    })
    this.#loss = new Histogram({
      name: 'tallenne_leg_loss_ratio',
      help: 'Share of the packets of each leg that was heard which did not come, or came too late.',
      buckets: LOSS_BUCKETS,
      registers,
    })
    for (const { capture, peer } of sources) {
      this.#arrived.inc({ capture, peer }, 0)
      for (const reason of WATCHED_ENDS[capture]) this.#ended.inc({ capture, peer, reason }, 0)
    }
    for (const line of serviceLines) {
      for (const verdict of VERDICTS) this.#verdicts.inc({ line, verdict }, 0)
    }
  }

  arrived({ capture, peer }: CallSource): void {
    this.#arrived.inc({ capture, peer })
  }

  unrouted(): void {
    this.#unrouted.inc()
  }

  answered({ capture }: CallSource, setupMs: number): void {
    const histogram = capture === 'siprec' ? this.#setup : this.#answer
    histogram.observe(setupMs / 1000)
  }

  ended({ capture, peer }: CallSource, reason: string): void {
    this.#ended.inc({ capture, peer, reason })
  }

  judged(outcome: RecordingOutcome, line: string): void {
    const { verdict } = outcome
    this.#verdicts.inc({ line, verdict })
    for (const reason of outcome.reasons) this.#reasons.inc({ verdict, reason })
    this.#recordedSeconds.inc(outcome.durationMs / 1000)
    this.#recordedBytes.inc(outcome.bytes)
    this.#lostSeconds.inc(outcome.lostMs / 1000)
    for (const leg of outcome.streams) this.#observeLeg(leg)
  }

  #observeLeg({ placed, late, lostPackets, jitterMs }: StreamCounters): void {
    if (placed === 0) return
    this.#jitter.observe(jitterMs / 1000)
    this.#loss.observe((late + lostPackets) / (placed + late + lostPackets))
  }
}
