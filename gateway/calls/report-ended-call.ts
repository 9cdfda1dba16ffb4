import type { Log } from '../../base/log.ts'
import { maskIfLong, maskNumber } from '../../base/mask-number.ts'
import type { SipRequest } from '../sip/sip-surface.ts'
import type { ContactFacts } from './contact-record.ts'
import type { FinishedRecording } from './finish-recording.ts'

export interface EndedCall {
  /** The INVITE. */
  readonly request: SipRequest
  readonly recordingId: string | null
  /** Where a trunk call went; null where nowhere, undefined for a recording session. */
  readonly target?: string | null
  readonly facts: ContactFacts
  readonly endReason: string
  /** From INVITE to 200; undefined where there was none. */
  readonly setupMs: number | undefined
  readonly recording: FinishedRecording | undefined
}

/** Writes the one line that says everything of a call. On an outbound call the dialled number is a person's too. */
export function reportEndedCall(log: Log, call: EndedCall): void {
  const { request, recordingId, target, facts, endReason, setupMs, recording } = call
  const outcome = recording?.outcome
  log.info(
    {
      peer: `${request.source_address}:${request.source_port}`,
      transport: request.protocol,
      ...(target === undefined ? {} : { target }),
      recordingId,
      caller: maskNumber(facts.caller.display),
      serviceNumber: maskNumber(facts.serviceNumber.display),
      serviceLine: facts.serviceLine,
      agent: facts.agent === null ? null : maskIfLong(facts.agent),
      endReason,
      setupMs: setupMs === undefined ? null : Math.round(setupMs * 10) / 10,
      verdict: outcome?.verdict ?? null,
      reasons: outcome?.reasons ?? [],
      callDurationMs: outcome?.callDurationMs ?? 0,
      durationMs: outcome?.durationMs ?? 0,
      lostMs: outcome?.lostMs ?? 0,
      bytes: outcome?.bytes ?? 0,
      file: recording?.file ?? null,
      streams: outcome?.streams ?? [],
    },
    'call ended',
  )
}
