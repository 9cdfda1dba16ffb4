import { isPresent, type RecordingMetadata } from './recording-metadata.ts'
import type { SdpOffer } from './sdp-offer.ts'

/**
 * Whether a re-offer pauses the recording: the client offers to send nothing although all who speak in the call still
 * do (RFC 7866 §7.1.2).
 *
 * A hold of the recorded call looks much the same, and is told apart where the dialect lets it be: its metadata takes
 * away the stream of who holds or is held (RFC 8068 §3.2.2), or its description has the unspecified address (RFC 3264
 * §8.4). A client that says neither of a hold has paused, as far as anybody can tell. `metadata` is all that is known
 * with the message that brought the offer.
 */
export function isPausing(offer: SdpOffer, metadata: RecordingMetadata | null): boolean {
  const audio = offer.media.filter(({ kind, port }) => kind === 'audio' && port !== 0)
  const isSilent = audio.every(({ direction, isHeld }) => direction === 'inactive' && !isHeld)
  return audio.length > 0 && isSilent && !(metadata !== null && isOnHold(metadata))
}

function isOnHold(metadata: RecordingMetadata): boolean {
  return metadata.participants.some(
    (participant) => participant.sends?.length === 0 && isPresent(participant, metadata),
  )
}
