import { RECORDING_OPTIONS, unsupportedOptions } from './option-tags.ts'
import { badExtension, objectionToUri } from './refusal.ts'
import { OPTIONS_HEADERS } from './sip-headers.ts'
import type { SipRequest, SipResponse } from './sip-surface.ts'

/** Answers OPTIONS outside of dialogs as an INVITE would be (RFC 3261 §11.2). */
export function answerOptions(request: SipRequest, response: SipResponse): void {
  const unsupported = unsupportedOptions(request.get('Require') ?? '', RECORDING_OPTIONS)
  const refusal =
    objectionToUri(request.uri) ?? (unsupported.length > 0 ? badExtension(unsupported) : undefined)
  const { status, reason, headers } = refusal ?? {
    status: 200,
    reason: 'OK',
    headers: OPTIONS_HEADERS,
  }
  response.send(status, reason, { headers })
}
