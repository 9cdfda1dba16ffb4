import type { SipHeaders, SipRequest } from './sip-surface.ts'

/** Methods that the gateway understands. */
export const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO'

/** Bodies that a recording session may carry; RFC 9806 settles on `+xml`, the older name is still common. */
const ACCEPT =
  'application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed'

/**
 * The recording server's Contact with its feature tag (RFC 7866 §6.2). The SIP server puts its own address in the
 * place of `localhost` and leaves parameters alone, so the transport must be named here.
 */
export function recordingContact(transport: string): string {
  const parameter = transport === 'udp' ? '' : `;transport=${transport}`
  return `<sip:recorder@localhost${parameter}>;+sip.srs`
}

/** Headers of every success within a recording session. */
export function recordingHeaders(request: SipRequest): SipHeaders {
  return {
    Contact: recordingContact(request.protocol),
    Supported: 'siprec, timer',
    Allow: ALLOW,
    Accept: ACCEPT,
  }
}

/** Answer to OPTIONS (RFC 3261 §11.2). */
export const OPTIONS_HEADERS: SipHeaders = {
  Allow: ALLOW,
  Accept: ACCEPT,
  Supported: 'siprec, timer',
}
