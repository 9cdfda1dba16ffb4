import type {
  MetadataName,
  MetadataSession,
  MetadataStream,
  RecordingMetadata,
  SessionAssociation,
  VendorField,
} from './recording-metadata.ts'
import type { XmlElement } from './xml-element.ts'

/** No honest client comes near these; they keep a hostile document cheap to read and to merge. */
export const METADATA_LIMITS = {
  /** Sessions, participants and streams, each. */
  objects: 256,
  /** Streams and sessions that one participant names, each. */
  references: 64,
  /** Addresses of one participant. */
  names: 8,
  vendorFields: 512,
  valueLength: 2048,
  pathLength: 256,
} as const

export interface DraftParticipant {
  readonly id: string
  readonly names: MetadataName[]
  readonly sessions: SessionAssociation[]
  sends: string[] | null
  receives: string[] | null
}

/** Collects what a document says, bounded, since an association may come before what it names. */
export class MetadataDraft {
  readonly #sessions = new Map<string, MetadataSession>()
  readonly #participants = new Map<string, DraftParticipant>()
  readonly #streams: MetadataStream[] = []
  readonly #vendorFields: VendorField[] = []
  readonly #problems: Set<string>

  constructor(problems: readonly string[]) {
    this.#problems = new Set(problems)
  }

  addSession(session: MetadataSession): void {
    if (this.#hasRoom('sessions', this.#sessions.size) || this.#sessions.has(session.id)) {
      this.#sessions.set(session.id, session)
    }
  }

  addStream(stream: MetadataStream): void {
    if (this.#hasRoom('streams', this.#streams.length)) this.#streams.push(stream)
  }

  /** The participant of an id, made where it is new. */
  participant(id: string): DraftParticipant {
    const known = this.#participants.get(id)
    if (known !== undefined) return known
    const made: DraftParticipant = { id, names: [], sessions: [], sends: null, receives: null }
    if (this.#hasRoom('participants', this.#participants.size)) this.#participants.set(id, made)
    return made
  }

  /**
   * The participant that an element with an address describes.
   *
   * Clients that use the number as the id give a call from a number to itself two participants of one id:
   * they are two where each sends streams of its own.
   */
  describedParticipant(id: string, sends: readonly string[]): DraftParticipant {
    const known = this.#participants.get(id)
    const isAnother =
      known !== undefined &&
      known.names.length > 0 &&
      known.sends !== null &&
      sends.length > 0 &&
      !sends.some((stream) => known.sends?.includes(stream))
    if (!isAnother) return this.participant(id)
    this.#problems.add('two participants of one id')
    return this.participant(`${id}#${this.#participants.size}`)
  }

  /** Keeps an element that the standard does not define, with all that it holds. */
  addVendorFields(element: XmlElement, ownerId: string, prefix = ''): void {
    const label = element.attributes.get('label') ?? element.attributes.get('name')
    const step = label === undefined ? element.name : `${element.name}[${label}]`
    const path = `${prefix}${step}`.slice(0, METADATA_LIMITS.pathLength)
    const value = (element.text || element.attributes.get('value')) ?? ''
    if (value !== '') this.#addVendorField(element.namespace, { ownerId, path, value })
    for (const child of element.children) this.addVendorFields(child, ownerId, `${path}/`)
  }

  #addVendorField(namespace: string, field: Omit<VendorField, 'namespace'>): void {
    if (this.#vendorFields.length >= METADATA_LIMITS.vendorFields) {
      this.#problems.add(
        `more than ${METADATA_LIMITS.vendorFields} vendor fields: the rest is left out`,
      )
      return
    }
    const value = field.value.slice(0, METADATA_LIMITS.valueLength)
    this.#vendorFields.push({ ...field, namespace, value })
  }

  #hasRoom(kind: string, count: number): boolean {
    if (count < METADATA_LIMITS.objects) return true
    this.#problems.add(`more than ${METADATA_LIMITS.objects} ${kind}: the rest is left out`)
    return false
  }

  finish(dataMode: RecordingMetadata['dataMode']): {
    metadata: RecordingMetadata
    problems: readonly string[]
  } {
    const metadata: RecordingMetadata = {
      dataMode,
      sessions: [...this.#sessions.values()],
      participants: [...this.#participants.values()].map((participant) => ({
        ...participant,
        hasSent: participant.sends ?? [],
      })),
      streams: this.#streams,
      vendorFields: this.#vendorFields,
    }
    return { metadata, problems: [...this.#problems] }
  }
}
