import type { Clock } from '../base/clock.ts'
import { type Explanation, explainRecording } from '../retention/explain.ts'
import { annotateContact } from '../storage/contact-notes.ts'
import {
  findContact,
  findContacts,
  findRecording,
  type RecordingDetails,
} from '../storage/contact-queries.ts'
import type { Pool } from '../storage/database.ts'
import { digestOf } from '../storage/digest-of.ts'
import type { Identities } from '../storage/encryption/identities.ts'
import { type OpenedAudio, openStored } from '../storage/encryption/opened-audio.ts'
import { findMetadata } from '../storage/metadata-documents.ts'
import type {
  ContactFilter,
  ContactPage,
  ContactView,
  MetadataDocumentView,
} from '../storage/model.ts'
import type { RecordingStore } from '../storage/recording-store.ts'

export interface ArchiveOptions {
  readonly pool: Pool
  readonly store: RecordingStore
  readonly clock: Clock
  /** What opens encrypted recordings; undefined where there is nothing of the kind. */
  readonly identities: Identities | undefined
}

/** What the portal reads, and the notes that it writes: rows of the database and files of the store. Owns neither. */
export class Archive {
  readonly #pool: Pool
  readonly #store: RecordingStore
  readonly #clock: Clock
  readonly #identities: Identities | undefined

  constructor({ pool, store, clock, identities }: ArchiveOptions) {
    this.#pool = pool
    this.#store = store
    this.#clock = clock
    this.#identities = identities
  }

  /** Rejects with `bad_cursor` for a cursor that no page gave. */
  findContacts(filter: ContactFilter): Promise<ContactPage> {
    return findContacts(this.#pool, filter, this.#clock.epochMs())
  }

  findContact(id: string): Promise<ContactView | undefined> {
    return findContact(this.#pool, id, this.#clock.epochMs())
  }

  /** As the recording clients sent it; undefined where there is no such contact. */
  findMetadata(id: string): Promise<readonly MetadataDocumentView[] | undefined> {
    return findMetadata(this.#pool, id)
  }

  findRecording(id: string): Promise<RecordingDetails | undefined> {
    return findRecording(this.#pool, id, this.#clock.epochMs())
  }

  /** Why a recording is still here, and when it goes, or when it went. */
  explainRecording(id: string): Promise<Explanation | undefined> {
    return explainRecording(this.#pool, id, this.#clock.epochMs())
  }

  /** Writes notes of a contact; false where there is no such contact. */
  annotate(contactId: string, notes: Readonly<Record<string, string | null>>): Promise<boolean> {
    const annotatedAtMs = this.#clock.epochMs()
    return annotateContact(this.#pool, { contactId, notes, annotatedAtMs })
  }

  /** Rejects as `openStored` does, with `file_missing` among others. Whoever opened it closes it. */
  async open(file: string): Promise<OpenedAudio> {
    return openStored(this.#store, file, this.#identities)
  }

  /** SHA-256 of a file as it stands in the store. */
  async digestOf(file: string): Promise<string> {
    const handle = await this.#store.open(file)
    return (await digestOf(handle.createReadStream())).sha256
  }
}
