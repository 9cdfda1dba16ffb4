import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { maskIfLong, maskNumber } from '../../base/mask-number.ts'
import type {
  RecordingOutcome,
  RecordingPause,
  StreamCounters,
} from '../../recorder/recording-plan.ts'
import { maskTarget } from '../sip/mask-target.ts'
import type { SipRequest } from '../sip/sip-surface.ts'
import type { CallSource } from './call-events.ts'
import type { ContactRecord } from './contact-record.ts'
import type { FinishedRecording } from './finish-recording.ts'

export interface EndedCall {
  readonly source: CallSource
  /** The INVITE. */
  readonly request: SipRequest
  readonly contact: Pick<ContactRecord, 'facts' | 'startedAtMs'>
  readonly recordingId: string | null
  /** Where a trunk call went; null where nowhere, undefined for a recording session. */
  readonly target?: string | null
  readonly endReason: string
  readonly endedAtMs: number
  /** From INVITE to 200; undefined where there was none. */
  readonly setupMs: number | undefined
  readonly recording: FinishedRecording | undefined
  readonly clock: Clock
}

/**
 * Writes the one line that says everything of a call; docs/logs.md describes each field. The log knows the ids of call
 * and contact. On an outbound call the dialled number is a person's too. The journal is to have the call's end by then.
 */
export function reportEndedCall(log: Log, call: EndedCall): void {
  const { source, request, contact, recordingId, target, endedAtMs, setupMs, recording } = call
  const { facts, startedAtMs } = contact
  log.info(
    {
      ...source,
      peerAddress: `${request.source_address}:${request.source_port}`,
      transport: request.protocol,
      ...(target === undefined ? {} : { target: target && maskTarget(target) }),
      recordingId,
      direction: facts.direction,
      caller: maskNumber(facts.caller.display),
      serviceNumber: maskNumber(facts.serviceNumber.display),
      serviceLine: facts.serviceLine,
      agent: facts.agent === null ? null : maskIfLong(facts.agent),
      startedAt: new Date(startedAtMs).toISOString(),
      endReason: call.endReason,
      setupMs: setupMs === undefined ? null : tenths(setupMs),
      sessionMs: Math.round(endedAtMs - startedAtMs),
      verdictAfterMs: Math.round(call.clock.epochMs() - endedAtMs),
      file: recording?.file ?? null,
      ...describeOutcome(recording?.outcome),
    },
    'call ended',
  )
}

function describeOutcome(outcome: RecordingOutcome | undefined) {
  const pauses = outcome?.pauses ?? []
  return {
    verdict: outcome?.verdict ?? null,
    reasons: outcome?.reasons ?? [],
    engine: outcome?.engine ?? null,
    callDurationMs: Math.round(outcome?.callDurationMs ?? 0),
    durationMs: Math.round(outcome?.durationMs ?? 0),
    lostMs: outcome?.lostMs ?? 0,
    losses: outcome?.lossMap.length ?? 0,
    pauses: pauses.length,
    pausedMs: Math.round(pauses.reduce((sum, pause) => sum + lengthOf(pause, outcome), 0)),
    bytes: outcome?.bytes ?? 0,
    sha256: outcome?.sha256 ?? null,
    legs: (outcome?.streams ?? []).map(describeLeg),
  }
}

function lengthOf({ fromMs, toMs }: RecordingPause, outcome: RecordingOutcome | undefined): number {
  return (toMs ?? outcome?.durationMs ?? fromMs) - fromMs
}

/** What every leg is asked for, and of the other counters those that counted something. */
function describeLeg(leg: StreamCounters) {
  const { streamId, role, codec, jitterMs, concealedMs, longestUnauthenticatedRun, ...counts } = leg
  const { placed, late, duplicate, lostPackets, ...others } = counts
  const other = Object.entries(others).filter(([, count]) => count > 0)
  return {
    leg: streamId,
    role,
    codec,
    placed,
    late,
    duplicate,
    lost: lostPackets,
    jitterMs: tenths(jitterMs),
    concealedMs: Math.round(concealedMs),
    ...(longestUnauthenticatedRun > 0 && { longestUnauthenticatedRun }),
    ...(other.length > 0 && { other: Object.fromEntries(other) }),
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
