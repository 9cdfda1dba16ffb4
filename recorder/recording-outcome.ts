import type { Channel } from './channel.ts'
import type { LossMap } from './loss-map.ts'
import type { PageSink } from './page-sink.ts'
import type { FileFacts } from './recording-file.ts'
import type { ReasonCode, RecordingOutcome, RecordingPause } from './recording-plan.ts'
import type { RecordingSpan } from './recording-span.ts'
import type { RecordingStreams } from './recording-streams.ts'
import { SAMPLES_PER_MS } from './sample-clock.ts'
import { type ChannelFacts, giveVerdict } from './verdict.ts'

/** What a recording was when nothing more comes. */
export interface EndedRecording {
  readonly recordingId: string
  readonly span: RecordingSpan
  readonly streams: RecordingStreams
  readonly channels: readonly [Channel, Channel]
  readonly losses: LossMap
  readonly pauses: readonly RecordingPause[]
  readonly reasons: readonly ReasonCode[]
  /** Length of the audio that was to be written. */
  readonly lengthSamples: number
  /** Of the file; undefined where none was made. */
  readonly facts: FileFacts | undefined
  readonly sinkFailure: PageSink['failure']
}

/** How a recording ended, with its verdict. */
export function outcomeOf(ended: EndedRecording): RecordingOutcome {
  const { recordingId, span, streams, losses, facts, sinkFailure } = ended
  const hasFile = facts !== undefined && facts.bytes > 0
  const pauses = hasFile ? ended.pauses : []
  const wantedMs = ended.lengthSamples / SAMPLES_PER_MS
  const durationMs =
    sinkFailure === undefined ? wantedMs : Math.min(facts?.writtenMs ?? 0, wantedMs)
  const callDurationMs = span.callSamples / SAMPLES_PER_MS
  return {
    recordingId,
    ...giveVerdict({
      channels: [channelFacts(ended, 0), channelFacts(ended, 1)],
      longestLossMs: losses.longestMs,
      durationMs,
      callDurationMs,
      sinkFailure: sinkFailure === undefined ? undefined : sinkReason(sinkFailure.code),
      hasFile,
      reasons: [...ended.reasons, ...ownReasons(ended, pauses.length > 0)],
    }),
    durationMs: hasFile ? durationMs : 0,
    callDurationMs,
    startedAtMs: span.startedAtMs,
    lostMs: losses.lostMs,
    lossMap: losses.spans(span.start ?? 0),
    pauses,
    bytes: facts?.bytes ?? 0,
    sha256: hasFile ? facts.sha256 : null,
    ...(hasFile && facts.encryption && { encryption: facts.encryption }),
    streams: streams.all.map((stream) => stream.counters()),
  }
}

/** What the recording itself knows beside what signalling and its engine do. */
function ownReasons({ streams }: EndedRecording, wasPaused: boolean): readonly ReasonCode[] {
  const hasDropped = streams.all.some(({ tally }) => tally.dropped > 0)
  return [
    ...(hasDropped ? (['packets_dropped'] as const) : []),
    ...(wasPaused ? (['paused'] as const) : []),
  ]
}

/** The reason code for a sink's failure. */
export function sinkReason(code: string): 'disk_full' | 'write_failed' {
  return code === 'disk_full' ? 'disk_full' : 'write_failed'
}

function channelFacts(ended: EndedRecording, channel: 0 | 1): ChannelFacts {
  const { streams, channels, losses } = ended
  const heard = streams.heardAs(channel === 0 ? 'caller' : 'agent')
  const sharesFirst = channels[1].legs === channels[0].legs
  return {
    receivingMs: heard.reduce((most, stream) => Math.max(most, stream.receivingMs), 0),
    placedPackets: heard.reduce((sum, stream) => sum + stream.tally.placed, 0),
    latePackets: heard.reduce((sum, stream) => sum + stream.tally.late, 0),
    audibleMs: channels[sharesFirst ? 0 : channel].audibleMs,
    lostMs: losses.lostSamples(channel) / SAMPLES_PER_MS,
    unauthenticatedRun: heard.reduce(
      (most, { tally }) => Math.max(most, tally.longestUnauthenticatedRun),
      0,
    ),
    expiredPackets: heard.reduce((sum, { tally }) => sum + tally.keyExpired, 0),
    outlivedPackets: heard.reduce((sum, { tally }) => sum + tally.keyOutlived, 0),
    isMixed: heard.some((stream) => stream.role === 'mixed'),
  }
}
