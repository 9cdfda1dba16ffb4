import { isPresent, type RecordingMetadata } from './recording-metadata.ts'

/**
 * Whether somebody is on hold: who has sent a stream sends none now, and fewer than two are left who talk to each other
 * (RFC 8068 §3.2.2). In a conference the others go on.
 */
export function isOnHold(metadata: RecordingMetadata): boolean {
  const present = metadata.participants.filter((participant) => isPresent(participant, metadata))
  const hasFallenSilent = present.some(
    ({ sends, hasSent }) => sends !== null && sends.length === 0 && hasSent.length > 0,
  )
  const talking = present.filter(({ sends }) => sends !== null && sends.length > 0)
  return hasFallenSilent && talking.length < 2
}
