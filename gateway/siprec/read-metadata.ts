import { METADATA_LIMITS, MetadataDraft } from './metadata-draft.ts'
import {
  ID_NAMES,
  idOf,
  KNOWN_CHILDREN,
  NAMES,
  readNames,
  streamReferences,
  textOf,
  textsOf,
} from './metadata-elements.ts'
import type { RecordingMetadata } from './recording-metadata.ts'
import { readXml } from './tolerant-xml.ts'
import type { XmlElement } from './xml-element.ts'

/** Metadata is null where nothing could be read; the problems say why. */
export interface MetadataReading {
  readonly metadata: RecordingMetadata | null
  readonly problems: readonly string[]
}

/**
 * Reads recording metadata of any dialect: elements by local name in any order and place, ids as attribute or
 * child, addresses as attribute or child, `<send>` in a participant or in an association.
 *
 * Never throws. Metadata that cannot be read never costs a call its recording.
 */
export function readRecordingMetadata(xml: string): MetadataReading {
  const { root, problems } = readXml(xml)
  if (root === null) {
    return {
      metadata: null,
      problems: problems.length > 0 ? problems : ['metadata without an element'],
    }
  }
  const isRecording = ROOTS.has(root.name.toLowerCase())
  const draft = new MetadataDraft(
    isRecording ? problems : [...problems, `metadata that begins with <${root.name}>`],
  )
  readObjects(root, draft, { ownerId: '', sessionId: null })
  const mode = textOf(root, NAMES.dataMode)
  return draft.finish(mode?.toLowerCase() === 'partial' ? 'partial' : 'complete')
}

const ROOTS: ReadonlySet<string> = new Set(['recording', 'recording_metadata'])

interface Place {
  /** Id of the object around. */
  readonly ownerId: string
  /** Id of the session around, for clients that nest participants in one. */
  readonly sessionId: string | null
}

type ReadObject = (element: XmlElement, draft: MetadataDraft, place: Place) => void

const OBJECT_READERS: ReadonlyMap<string, ReadObject> = new Map<string, ReadObject>([
  ['recording', readInnerRecording],
  ['group', readGroup],
  ['session', readSession],
  ['participant', readParticipant],
  ['stream', readStream],
  ['participantsessionassoc', readSessionAssociation],
  ['participantstreamassoc', readStreamAssociation],
  ['extensiondata', readExtension],
])

function readObjects(parent: XmlElement, draft: MetadataDraft, place: Place): void {
  for (const child of parent.children) {
    const key = child.name.toLowerCase()
    const read = OBJECT_READERS.get(key)
    // `<session>` and `<group>` with nothing but text are references to an object.
    const isReference = child.children.length === 0 && child.attributes.size === 0
    if (read !== undefined && !isReference) read(child, draft, place)
    else if (read === undefined && !KNOWN_CHILDREN.has(key)) {
      draft.addVendorFields(child, place.ownerId)
    } else if (child.children.length > 0) {
      // An element that was never closed, such as `<datamode>complete`, has swallowed what follows it.
      readObjects(child, draft, place)
    }
  }
}

function readInnerRecording(element: XmlElement, draft: MetadataDraft, place: Place): void {
  readObjects(element, draft, { ...place, ownerId: idOf(element, ID_NAMES.recording) })
}

function readGroup(element: XmlElement, draft: MetadataDraft, place: Place): void {
  readObjects(element, draft, { ...place, ownerId: idOf(element, ID_NAMES.group) })
}

function readSession(element: XmlElement, draft: MetadataDraft): void {
  const id = idOf(element, ID_NAMES.session)
  draft.addSession({
    id,
    // A Session-ID may be broken before its remote half (RFC 7989 §5).
    sipSessionIds: textsOf(element, 'sipsessionid').map((text) => text.replace(/\s+/g, '')),
    groupId: textOf(element, NAMES.group),
    startTime: textOf(element, NAMES.started),
    stopTime: textOf(element, NAMES.stopped),
  })
  readObjects(element, draft, { ownerId: id, sessionId: id })
}

function readParticipant(element: XmlElement, draft: MetadataDraft, place: Place): void {
  const sends = streamReferences(element, 'send')
  const receives = streamReferences(element, 'recv')
  const participant = draft.describedParticipant(idOf(element, ID_NAMES.participant), sends)
  const room = METADATA_LIMITS.names - participant.names.length
  participant.names.push(...readNames(element).slice(0, room))
  if (sends.length > 0) participant.sends = union(participant.sends, sends)
  if (receives.length > 0) participant.receives = union(participant.receives, receives)
  const sessionId = textOf(element, NAMES.session) ?? place.sessionId
  const left = textOf(element, NAMES.left)
  const isAssociated = participant.sessions.some((session) => session.sessionId === sessionId)
  if ((sessionId !== null || left !== null) && !isAssociated) {
    participant.sessions.push({
      sessionId: sessionId ?? '',
      associateTime: textOf(element, NAMES.joined),
      disassociateTime: left,
    })
  }
  readObjects(element, draft, { ...place, ownerId: participant.id })
}

function readStream(element: XmlElement, draft: MetadataDraft, place: Place): void {
  const id = idOf(element, ID_NAMES.stream)
  draft.addStream({
    id,
    label: textOf(element, NAMES.label),
    sessionId: textOf(element, NAMES.session) ?? place.sessionId,
    mode: textOf(element, NAMES.mode),
  })
  readObjects(element, draft, { ...place, ownerId: id })
}

function readSessionAssociation(element: XmlElement, draft: MetadataDraft): void {
  const { sessions } = draft.participant(idOf(element, ID_NAMES.associated))
  const association = {
    sessionId: idOf(element, NAMES.session),
    associateTime: textOf(element, NAMES.joined),
    disassociateTime: textOf(element, NAMES.left),
  }
  const at = sessions.findIndex((session) => session.sessionId === association.sessionId)
  if (at >= 0) sessions[at] = association
  else if (sessions.length < METADATA_LIMITS.references) sessions.push(association)
}

/** One with neither `send` nor `recv` says that the participant sends and receives nothing now (RFC 8068 §3.2.2). */
function readStreamAssociation(element: XmlElement, draft: MetadataDraft): void {
  const participant = draft.participant(idOf(element, ID_NAMES.associated))
  const hasEnded = textOf(element, NAMES.left) !== null
  participant.sends = union(participant.sends, hasEnded ? [] : streamReferences(element, 'send'))
  participant.receives = union(
    participant.receives,
    hasEnded ? [] : streamReferences(element, 'recv'),
  )
}

/** Extension data belongs to the object around it, or to the one that it names as its parent. */
function readExtension(element: XmlElement, draft: MetadataDraft, place: Place): void {
  const ownerId = element.attributes.get('parent') ?? place.ownerId
  for (const child of element.children) draft.addVendorFields(child, ownerId)
}

function union(earlier: readonly string[] | null, added: readonly string[]): string[] {
  return [...new Set([...(earlier ?? []), ...added])].slice(0, METADATA_LIMITS.references)
}
