import type { MetadataParticipant, RecordingMetadata } from './recording-metadata.ts'

/** The part of a dialog's metadata that is about some of its sessions. What names no session is about all. */
export function scopeMetadata(
  metadata: RecordingMetadata,
  sessionIds: ReadonlySet<string>,
): RecordingMetadata {
  const sessions = metadata.sessions.filter(({ id }) => sessionIds.has(id))
  const groups = new Set(sessions.flatMap(({ groupId }) => groupId ?? []))
  const streams = metadata.streams.filter(
    ({ sessionId }) => sessionId === null || sessionIds.has(sessionId),
  )
  const streamIds = new Set(streams.map(({ id }) => id))
  const isOwn = (streamId: string) => streamIds.has(streamId)
  const participants = metadata.participants
    .filter((participant) => isIn(participant, sessionIds))
    .map((participant) => ({
      ...participant,
      sessions: participant.sessions.filter(({ sessionId }) => sessionIds.has(sessionId)),
      sends: participant.sends?.filter(isOwn) ?? null,
      receives: participant.receives?.filter(isOwn) ?? null,
      hasSent: participant.hasSent.filter(isOwn),
    }))
  const others = new Set([
    ...metadata.sessions.filter(({ id }) => !sessionIds.has(id)).map(({ id }) => id),
    ...metadata.sessions.flatMap(({ groupId }) =>
      groupId === null || groups.has(groupId) ? [] : groupId,
    ),
    ...metadata.participants
      .filter((participant) => !isIn(participant, sessionIds))
      .map(({ id }) => id),
    ...metadata.streams.filter(({ id }) => !isOwn(id)).map(({ id }) => id),
  ])
  return {
    ...metadata,
    sessions,
    participants,
    streams,
    vendorFields: metadata.vendorFields.filter(({ ownerId }) => !others.has(ownerId)),
  }
}

function isIn({ sessions }: MetadataParticipant, sessionIds: ReadonlySet<string>): boolean {
  return sessions.length === 0 || sessions.some(({ sessionId }) => sessionIds.has(sessionId))
}
