import { METADATA_LIMITS } from './metadata-draft.ts'
import type {
  MetadataParticipant,
  MetadataSession,
  MetadataStream,
  RecordingMetadata,
  SessionAssociation,
  VendorField,
} from './recording-metadata.ts'

/**
 * What is known after an update. A complete snapshot replaces what was known; a partial one is merged by id, field
 * by field, and what it leaves out stays (RFC 7865 §5.1.1).
 *
 * Bounded: however many updates come, no more objects are kept than one document may hold.
 */
export function mergeMetadata(
  previous: RecordingMetadata | null,
  update: RecordingMetadata,
): RecordingMetadata {
  if (previous === null || update.dataMode === 'complete') return update
  return {
    dataMode: 'complete',
    sessions: mergeById(previous.sessions, update.sessions, mergeSession),
    participants: mergeById(previous.participants, update.participants, mergeParticipant),
    streams: mergeById(previous.streams, update.streams, mergeStream),
    vendorFields: mergeFields(previous.vendorFields, update.vendorFields),
  }
}

function mergeById<T extends { readonly id: string }>(
  known: readonly T[],
  changed: readonly T[],
  merge: (known: T, changed: T) => T,
): readonly T[] {
  const byId = new Map(changed.map((item) => [item.id, item]))
  const merged = known.map((item) => {
    const change = byId.get(item.id)
    byId.delete(item.id)
    return change === undefined ? item : merge(item, change)
  })
  return [...merged, ...byId.values()].slice(0, METADATA_LIMITS.objects)
}

function mergeSession(known: MetadataSession, changed: MetadataSession): MetadataSession {
  return {
    id: known.id,
    sipSessionIds: unite(known.sipSessionIds, changed.sipSessionIds),
    groupId: changed.groupId ?? known.groupId,
    startTime: changed.startTime ?? known.startTime,
    stopTime: changed.stopTime ?? known.stopTime,
  }
}

function mergeParticipant(
  known: MetadataParticipant,
  changed: MetadataParticipant,
): MetadataParticipant {
  return {
    id: known.id,
    names: changed.names.length > 0 ? changed.names : known.names,
    sessions: mergeAssociations(known.sessions, changed.sessions),
    sends: changed.sends ?? known.sends,
    receives: changed.receives ?? known.receives,
    hasSent: unite(known.hasSent, changed.hasSent),
  }
}

/** A participant that joins again at another time is back, whatever was said of its leaving. */
function mergeAssociations(
  known: readonly SessionAssociation[],
  changed: readonly SessionAssociation[],
): readonly SessionAssociation[] {
  const merged = new Map(known.map((association) => [association.sessionId, association]))
  for (const change of changed) {
    const earlier = merged.get(change.sessionId)
    const joinsAgain =
      change.associateTime !== null && change.associateTime !== earlier?.associateTime
    merged.set(change.sessionId, {
      sessionId: change.sessionId,
      associateTime: change.associateTime ?? earlier?.associateTime ?? null,
      disassociateTime:
        change.disassociateTime ?? (joinsAgain ? null : (earlier?.disassociateTime ?? null)),
    })
  }
  return [...merged.values()].slice(0, METADATA_LIMITS.references)
}

function mergeStream(known: MetadataStream, changed: MetadataStream): MetadataStream {
  return {
    id: known.id,
    label: changed.label ?? known.label,
    sessionId: changed.sessionId ?? known.sessionId,
    mode: changed.mode ?? known.mode,
  }
}

/** A field that comes again replaces all earlier values of its owner and path. */
function mergeFields(
  known: readonly VendorField[],
  changed: readonly VendorField[],
): readonly VendorField[] {
  const key = (field: VendorField) => `${field.ownerId}\n${field.path}`
  const replaced = new Set(changed.map(key))
  return [...changed, ...known.filter((field) => !replaced.has(key(field)))].slice(
    0,
    METADATA_LIMITS.vendorFields,
  )
}

function unite(known: readonly string[], added: readonly string[]): readonly string[] {
  return [...new Set([...known, ...added])].slice(0, METADATA_LIMITS.references)
}
