/** What a recording client says of the call that it records (RFC 7865). Ids are opaque: any text, even an empty one. */
export interface RecordingMetadata {
  readonly dataMode: 'complete' | 'partial'
  readonly sessions: readonly MetadataSession[]
  readonly participants: readonly MetadataParticipant[]
  readonly streams: readonly MetadataStream[]
  /** Everything that the standard does not define, in the document's order. */
  readonly vendorFields: readonly VendorField[]
}

/** A communication session: one call of the people who are recorded. */
export interface MetadataSession {
  readonly id: string
  readonly sipSessionIds: readonly string[]
  readonly groupId: string | null
  /** As written: vendors leave out the zone or write 1970, so it is never a media clock. */
  readonly startTime: string | null
  readonly stopTime: string | null
}

export interface MetadataName {
  /** Address of record as written. */
  readonly aor: string
  /** Display name, or empty. */
  readonly name: string
}

export interface SessionAssociation {
  readonly sessionId: string
  readonly associateTime: string | null
  readonly disassociateTime: string | null
}

export interface MetadataParticipant {
  readonly id: string
  readonly names: readonly MetadataName[]
  readonly sessions: readonly SessionAssociation[]
  /** Ids of the streams it sends now: empty on hold, null where nothing ever said. */
  readonly sends: readonly string[] | null
  readonly receives: readonly string[] | null
  /** Ids of all streams that it has ever been said to send. */
  readonly hasSent: readonly string[]
}

export interface MetadataStream {
  readonly id: string
  readonly label: string | null
  readonly sessionId: string | null
  /** `separate` or `mixed` where a client says so. */
  readonly mode: string | null
}

export interface VendorField {
  /** Id of the object it stands in or names as its parent; empty for the recording itself. */
  readonly ownerId: string
  readonly namespace: string
  /** Element names joined by slashes, without `extensiondata`; a `label` or `name` attribute follows in brackets. */
  readonly path: string
  readonly value: string
}

/** Whether everybody who took part has left, as at the call's end. */
export function haveAllLeft(metadata: RecordingMetadata): boolean {
  const { participants } = metadata
  return participants.length > 0 && !participants.some((one) => isPresent(one, metadata))
}

/** Whether the participant is still in a session that goes on; one in no session counts as present. */
export function isPresent(participant: MetadataParticipant, metadata: RecordingMetadata): boolean {
  if (participant.sessions.length === 0) return true
  const stopped = new Set(
    metadata.sessions.filter((session) => session.stopTime !== null).map((session) => session.id),
  )
  return participant.sessions.some(
    (association) => association.disassociateTime === null && !stopped.has(association.sessionId),
  )
}
