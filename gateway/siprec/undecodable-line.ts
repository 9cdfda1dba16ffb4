import { type MediaCapabilities, usableFormats } from './media-capabilities.ts'
import type { SdpOffer } from './sdp-offer.ts'

/** Whether an offer has an audio line that is there to be recorded, and not with any codec that can be decoded. */
export function hasUndecodableLine(offer: SdpOffer, capabilities: MediaCapabilities): boolean {
  return offer.media.some(
    ({ kind, port, formats }) =>
      kind === 'audio' && port !== 0 && !usableFormats(formats, capabilities).hasAudio,
  )
}
