/** A contact, its segments and recordings as rows and views know them. Times in views are ISO 8601 UTC with milliseconds. */

export type Capture = 'siprec' | 'trunk'
export type Direction = 'inbound' | 'outbound' | 'unknown'
export type RecordingState =
  | 'recording'
  | 'complete'
  | 'partial'
  | 'silent'
  | 'failed'
  | 'deleting'
  | 'deleted'

/** A number as it came and as E.164 where it is one. */
export interface NumberFact {
  /** As received, at most 255 characters; null where nothing was. */
  readonly raw: string | null
  /** E.164 with its plus sign, or null. */
  readonly e164: string | null
  /** What the API shows: E.164 where known, else the raw user part; null where withheld or absent. */
  readonly display: string | null
  readonly isWithheld: boolean
}

/** Where a party's number was read, kept with the contact; `isGuess` where only order or position said so. */
export interface FoundIn {
  readonly source: string
  readonly isGuess: boolean
}

/** Where each fact of a contact was read; null where none gave it. */
export type ContactFoundIn = Readonly<
  Record<'caller' | 'serviceNumber' | 'agent' | 'platformReference', FoundIn | null>
>

/** A stretch of a recording, milliseconds from its first sample. */
export interface TimeSpan {
  readonly fromMs: number
  readonly toMs: number
}

/** A name of a call that its sessions have in common. */
export interface JoinKey {
  /** ASCII, at most 255 characters. */
  readonly key: string
  /** How long after its end a further session still belongs to the call; 0 where only one that overlaps does. */
  readonly afterEndMs: number
}

/**
 * State changes in the order in which they happened. Appended to the node's journal and applied to
 * MariaDB idempotently: applying one twice changes nothing.
 */
export type JournalEntry =
  | {
      readonly kind: 'contact.started'
      readonly contactId: string
      readonly nodeId: string
      readonly callId: string
      readonly capture: Capture
      readonly direction: Direction
      readonly startedAtMs: number
      readonly caller: NumberFact
      readonly serviceNumber: NumberFact
      readonly serviceLine: string
      readonly agent: string | null
      /** What the platform calls the call, at most 255 characters; null where it says nothing of the kind. */
      readonly platformReference: string | null
      readonly foundIn: ContactFoundIn
      /** Recording metadata as received in the first message, at most 64 KiB, or null. */
      readonly metadata: string | null
    }
  /** Recording metadata as received later, or by a further session; at most 64 KiB. */
  | {
      readonly kind: 'metadata.received'
      readonly documentId: string
      /** The row of the session that received it. */
      readonly contactId: string
      readonly receivedAtMs: number
      readonly document: string
    }
  /** A further session of a contact: a row of its own, which leads to the contact's. The row may be there already. */
  | {
      readonly kind: 'contact.joined'
      readonly contactId: string
      /** The contact's own row. */
      readonly into: string
      readonly nodeId: string
      readonly callId: string
      readonly capture: Capture
      readonly startedAtMs: number
    }
  /**
   * Names of the call, equal for every session that brings it: contacts of one name are one where they go on at the
   * same time, or the later one began within the time that its name holds after the end.
   */
  | {
      readonly kind: 'contact.keyed'
      readonly contactId: string
      readonly seenAtMs: number
      readonly keys: readonly JoinKey[]
    }
  /** What a later message told; fields that are absent stay as they are. */
  | {
      readonly kind: 'contact.changed'
      readonly contactId: string
      readonly caller?: NumberFact
      readonly serviceNumber?: NumberFact
      readonly serviceLine?: string
      readonly agent?: string | null
      readonly platformReference?: string | null
      readonly foundIn?: ContactFoundIn
    }
  | { readonly kind: 'contact.answered'; readonly contactId: string; readonly answeredAtMs: number }
  | {
      readonly kind: 'contact.ended'
      readonly contactId: string
      readonly endedAtMs: number
      /** `bye`, `cancelled`, `refused_488`, `refused_503`, `session_expired`, `shutdown`, `crash`, … */
      readonly endReason: string
    }
  /** By its route's rule the contact is answered and not recorded. */
  | { readonly kind: 'contact.exempted'; readonly contactId: string }
  | {
      readonly kind: 'segment.started'
      readonly segmentId: string
      readonly contactId: string
      readonly agent: string | null
      readonly startedAtMs: number
    }
  | { readonly kind: 'segment.ended'; readonly segmentId: string; readonly endedAtMs: number }
  | {
      readonly kind: 'recording.started'
      readonly recordingId: string
      readonly contactId: string
      readonly startedAtMs: number
    }
  | {
      readonly kind: 'recording.ended'
      readonly recordingId: string
      readonly contactId: string
      readonly state: 'complete' | 'partial' | 'silent' | 'failed'
      readonly reasons: readonly string[]
      readonly durationMs: number
      readonly callDurationMs: number
      /** Of the file's first sample; absent in journals of earlier programs. */
      readonly startedAtMs?: number
      /** Absent in journals of earlier programs. */
      readonly onHold?: readonly TimeSpan[]
      readonly lostMs: number
      readonly lossMap: readonly {
        readonly channel: number
        readonly fromMs: number
        readonly lengthMs: number
      }[]
      /** Absent where nothing is known beyond what was journaled of them. */
      readonly pauses?: readonly RecordedPause[]
      /** Of the file as it stands in the store. */
      readonly bytes: number
      readonly sha256: string | null
      /** Absent where the file is the audio itself, and in journals of earlier programs. */
      readonly encryption?: FileEncryption
      /** Where the file stands, relative to the store, or null where there is none. */
      readonly file: string | null
      /** Per-stream packet counters, kept as they are. */
      readonly media: unknown
    }
  /** A recording whose verdict was given while its file could not be moved stands in the store now. */
  | {
      readonly kind: 'recording.stored'
      readonly recordingId: string
      /** Relative to the store. */
      readonly file: string
    }
  /** All pauses of a recording that has no verdict yet. */
  | {
      readonly kind: 'recording.pauses'
      readonly recordingId: string
      readonly contactId: string
      readonly pauses: readonly RecordedPause[]
    }
  /** Notes of the platform's by their names; null takes a note away. */
  | {
      readonly kind: 'contact.annotated'
      readonly contactId: string
      readonly notes: Readonly<Record<string, string | null>>
      readonly annotatedAtMs: number
    }

/** How a recording's file hides its audio. */
export interface FileEncryption {
  /** An age file, or the records that a crash left of one. */
  readonly form: 'age' | 'sealed'
  /** Names the set of recipients. */
  readonly keySet: string
  /** Null where nobody knows. */
  readonly audioBytes: number | null
  /** Null where nobody who could has read it whole. */
  readonly audioSha256: string | null
}

/** A stretch of a recording that is silent because somebody asked for it, in milliseconds from its start. */
export interface RecordedPause {
  readonly fromMs: number
  /** Null while it lasts. */
  readonly toMs: number | null
  /** The platform, a party's keys, or the recording client's re-offer. */
  readonly by: 'api' | 'dtmf' | 'offer'
  /** A word of the platform's for why. */
  readonly reason: string | null
}

/** Takes state changes, in order, whatever MariaDB does. */
export interface ContactJournal {
  append(entry: JournalEntry): void
  /**
   * Resolves when all that was appended until now is in the local journal, or its disk has said that it takes nothing,
   * so that memory alone has it. A disk that hangs says nothing for as long as it does.
   */
  written(): Promise<void>
}

export interface SegmentView {
  readonly id: string
  readonly agent: string | null
  readonly startedAt: string
  readonly endedAt: string | null
  /** Where the segment lies in the contact's recordings, as far as their lengths are known. */
  readonly spans: readonly SegmentSpan[]
}

/** The part of a recording that belongs to a segment. */
export interface SegmentSpan extends TimeSpan {
  readonly recordingId: string
}

/** What each channel of a recording carries: a party, or all of them in one stream. */
export type RecordingChannels = readonly ['caller', 'agent'] | readonly ['mixed', 'mixed']

/** One of the sessions that brought a contact. */
export interface SessionView {
  readonly callId: string
  readonly node: string
  readonly startedAt: string
  readonly endedAt: string | null
}

export interface RecordingView {
  readonly id: string
  readonly state: RecordingState
  readonly reasons: readonly string[]
  readonly startedAt: string
  readonly durationMs: number | null
  readonly channels: RecordingChannels
  readonly codec: 'opus'
  /** Of the audio as the API gives it, whatever its file is; null while nobody knows. */
  readonly bytes: number | null
  readonly sha256: string | null
  readonly lostMs: number | null
  readonly pauses: readonly RecordedPause[]
  /** Stretches in which a party was on hold, where signalling told. */
  readonly onHold: readonly TimeSpan[]
  /** Null while the call goes on or where the line keeps for ever. */
  readonly deleteAfter: string | null
  readonly held: boolean
}

/** A recording's file as it stands in the store. */
export interface StoredFileView {
  readonly bytes: number | null
  readonly sha256: string | null
  readonly encryption: 'none' | FileEncryption['form']
  /** Names the recipients; null where the file is not encrypted, or nobody knows. */
  readonly keySet: string | null
}

/** A contact as DESIGN section 10 promises it to integrators. */
export interface ContactView {
  readonly id: string
  readonly callId: string
  readonly capture: Capture
  readonly direction: Direction
  readonly caller: string | null
  readonly callerRaw: string | null
  readonly callerWithheld: boolean
  readonly serviceNumber: string | null
  readonly serviceLine: string
  readonly agent: string | null
  /** What the platform calls the call. */
  readonly platformReference: string | null
  /** Which source gave each fact, and whether it is a guess. */
  readonly foundIn: ContactFoundIn
  readonly startedAt: string
  readonly answeredAt: string | null
  readonly endedAt: string | null
  readonly endReason: string | null
  /** Notes of the platform's by their names. */
  readonly notes: Readonly<Record<string, string>>
  readonly segments: readonly SegmentView[]
  readonly recordings: readonly RecordingView[]
  /** Where several recording sessions brought the call, each of them, the first one first. */
  readonly sessions: readonly SessionView[]
}

/** Recording metadata as a session received it. */
export interface MetadataDocumentView {
  /** Of the session. */
  readonly callId: string
  readonly receivedAt: string
  readonly document: string
}

export interface ContactFilter {
  readonly callId?: string
  /** Matches E.164 or raw. */
  readonly caller?: string
  readonly serviceNumber?: string
  readonly serviceLine?: string
  readonly agent?: string
  readonly platformReference?: string
  /** Contacts that started at or after. */
  readonly fromMs?: number
  /** Contacts that started before. */
  readonly toMs?: number
  readonly cursor?: string
  /** 1 to 500. */
  readonly limit: number
}

export interface ContactPage {
  /** Newest first. */
  readonly items: readonly ContactView[]
  readonly nextCursor: string | null
}

/** A service line as configured. `period` null keeps for ever and `isCatchAll` alarms for each contact that lands there. */
export interface ServiceLine {
  readonly name: string
  /** E.164. */
  readonly numbers: readonly string[]
  /** ISO 8601 duration, or null. */
  readonly period: string | null
  /** IANA name. */
  readonly timeZone: string
  readonly isCatchAll: boolean
}
