import type { Log } from '../../base/log.ts'
import { maskNumber } from '../../base/mask-number.ts'
import type { ContactRecord } from '../calls/contact-record.ts'
import type { FinishedRecording } from '../calls/finish-recording.ts'
import type { SipRequest } from '../sip/sip-surface.ts'

/** Writes the one line that says everything of a call. */
export function reportCall(
  log: Log,
  call: {
    readonly request: SipRequest
    readonly contact: ContactRecord
    readonly endReason: string
    readonly target: string | null
    /** From the INVITE to the 200; undefined where the call was not answered. */
    readonly setupMs: number | undefined
    readonly finished: FinishedRecording | undefined
  },
): void {
  const { request, contact, endReason, target, setupMs, finished } = call
  const { facts } = contact
  const outcome = finished?.outcome
  log.info(
    {
      peer: `${request.source_address}:${request.source_port}`,
      transport: request.protocol,
      target,
      recordingId: outcome?.recordingId ?? null,
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
      file: finished?.file ?? null,
      streams: outcome?.streams ?? [],
    },
    'call ended',
  )
}
