import type { Role, StreamPlan } from '../../recorder/recording-plan.ts'
import type { FoundIn } from '../../storage/model.ts'
import type { Answer } from './answer-plan.ts'
import type { Parties } from './parties.ts'
import type { MetadataParticipant, RecordingMetadata } from './recording-metadata.ts'

/** Streams with the roles that are known of them, and how they are known. */
export interface RoledStreams {
  readonly streams: readonly StreamPlan[]
  readonly foundIn: FoundIn
}

/**
 * Gives each stream the role of who sends it: by the metadata's associations where they tell, by exclusion
 * where they tell of the other stream, else the role that the plan has by the order of labels, a guess.
 */
export function assignRoles(
  plan: Answer,
  options: { readonly metadata: RecordingMetadata | null; readonly parties: Parties },
): RoledStreams {
  const { metadata, parties } = options
  const told = new Map<string, StreamPlan['role']>()
  for (const stream of plan.streams) {
    const role =
      metadata === null ? null : senderRole(streamIdOf(stream, plan, metadata), metadata, parties)
    if (role !== null) told.set(stream.streamId, role)
  }
  const isAlone = plan.streams.length === 1
  if (told.size === 0 && isAlone && parties.soleRole !== null) {
    const streams = plan.streams.map((stream) => ({
      ...stream,
      role: parties.soleRole ?? stream.role,
    }))
    return { streams, foundIn: { source: 'cisco-built-in-bridge', isGuess: false } }
  }
  const known = [...told.values()]
  const streams = plan.streams.map((stream) => ({
    ...stream,
    role: crossed(told.get(stream.streamId) ?? byExclusion(stream, known, isAlone), parties),
  }))
  if (parties.hasCrossedStreams)
    return { streams, foundIn: { source: 'crossed-streams', isGuess: false } }
  if (told.size === 0) return { streams, foundIn: { source: 'label-order', isGuess: true } }
  const isGuess = parties.foundIn.caller?.isGuess ?? true
  return { streams, foundIn: { source: 'participant-stream', isGuess } }
}

function byExclusion(
  stream: StreamPlan,
  known: readonly StreamPlan['role'][],
  isAlone: boolean,
): StreamPlan['role'] {
  if (isAlone) return stream.role
  if (known.includes('caller')) return 'agent'
  return known.includes('agent') ? 'caller' : stream.role
}

function crossed(role: StreamPlan['role'], parties: Parties): StreamPlan['role'] {
  if (!parties.hasCrossedStreams || role === 'mixed') return role
  return role === 'caller' ? 'agent' : 'caller'
}

/** The metadata's stream of a label; where a client labels nothing in SDP, the one at the same place. */
function streamIdOf(stream: StreamPlan, plan: Answer, metadata: RecordingMetadata): string | null {
  const line = plan.lines.find((candidate) => candidate.streamId === stream.streamId)
  if (line?.kind !== 'accepted') return null
  if (line.label !== null) {
    return metadata.streams.find((candidate) => candidate.label === line.label)?.id ?? null
  }
  const accepted = plan.lines.filter((candidate) => candidate.kind === 'accepted')
  const hasLabels = accepted.some((candidate) => candidate.label !== null)
  if (hasLabels || accepted.length !== metadata.streams.length) return null
  return metadata.streams[accepted.indexOf(line)]?.id ?? null
}

/** Who sends a stream now, else whoever did: on hold nobody sends, and the stream is still its party's. */
function senderRole(
  streamId: string | null,
  metadata: RecordingMetadata,
  parties: Parties,
): StreamPlan['role'] | null {
  if (streamId === null || streamId === '') return null
  // Where a client says so itself, its associations name the recorded user alone.
  const { mode } = metadata.streams.find(({ id }) => id === streamId) ?? {}
  if (mode?.toLowerCase() === 'mixed') return 'mixed'
  const now = metadata.participants.filter((participant) => participant.sends?.includes(streamId))
  const senders =
    now.length > 0
      ? now
      : metadata.participants.filter((participant) => participant.hasSent.includes(streamId))
  const roles = new Set(senders.map((sender) => roleOf(sender, parties)))
  if (roles.has(null)) return null
  if (roles.size > 1) return 'mixed'
  return [...roles][0] ?? null
}

/** All who are not the caller are heard on the agent's side: agents, supervisors, a queue's announcements. */
function roleOf(participant: MetadataParticipant, parties: Parties): Role | null {
  if (participant.id === parties.callerParticipantId) return 'caller'
  if (parties.callerParticipantId !== null) return 'agent'
  // Without a caller among the participants only the agent is known.
  return participant.id === parties.agentParticipantId ? 'agent' : null
}
