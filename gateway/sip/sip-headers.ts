import type { SipHeaders, SipRequest } from './sip-surface.ts'

/** Methods that the gateway understands. */
export const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO'

/** Bodies that a recording session may carry; RFC 9806 settles on `+xml`, the older name is still common. */
export const ACCEPT =
  'application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed'

/**
 * The recording server's Contact with its feature tag (RFC 7866 §6.2), a SIPS URI where the request asks for that
 * (RFC 3261 §12.1.1). The SIP server puts its own address in the place of `localhost` and leaves parameters alone, so
 * the transport must be named here.
 */
export function recordingContact(request: SipRequest): string {
  if (isForSips(request)) return '<sips:recorder@localhost>;+sip.srs'
  const parameter = request.protocol === 'udp' ? '' : `;transport=${request.protocol}`
  return `<sip:recorder@localhost${parameter}>;+sip.srs`
}

function isForSips(request: SipRequest): boolean {
  const way = request.get('Record-Route') ?? request.get('Contact') ?? ''
  return /^sips:/i.test(request.uri) || /^[^,]*?<sips:/i.test(way) || /^\s*sips:/i.test(way)
}

/** Headers of every success within a recording session. */
export function recordingHeaders(request: SipRequest): SipHeaders {
  return {
    Contact: recordingContact(request),
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
