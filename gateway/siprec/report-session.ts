import type { Log } from '../../base/log.ts'
import { maskNumber } from '../../base/mask-number.ts'
import type { ContactFacts } from '../calls/contact-record.ts'
import type { FinishedRecording } from '../calls/finish-recording.ts'
import type { SipRequest } from '../sip/sip-surface.ts'

export interface EndedSession {
  /** The INVITE. */
  readonly request: SipRequest
  readonly recordingId: string
  readonly facts: ContactFacts
  readonly endReason: string
  /** From INVITE to 200; undefined where there was none. */
  readonly setupMs: number | undefined
  readonly recording: FinishedRecording | undefined
}

/** The one line that says everything of a session. */
export function reportSession(log: Log, session: EndedSession): void {
  const { request, recordingId, facts, endReason, setupMs, recording } = session
  const outcome = recording?.outcome
  log.info(
    {
      peer: `${request.source_address}:${request.source_port}`,
      transport: request.protocol,
      recordingId,
      caller: maskNumber(facts.caller.display),
      serviceNumber: facts.serviceNumber.display,
      serviceLine: facts.serviceLine,
      agent: facts.agent,
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
