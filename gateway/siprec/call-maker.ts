import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ContactJournal, JoinKey } from '../../storage/model.ts'
import type { CallControls } from '../calls/call-controls.ts'
import type { CallEvents } from '../calls/call-events.ts'
import { ContactRecord } from '../calls/contact-record.ts'
import type { JoinableContacts } from '../calls/joinable-contacts.ts'
import type { RecordingFiles } from '../calls/recording-files.ts'
import type { SharedContact } from '../calls/shared-contact.ts'
import { CallRecording } from './call-recording.ts'
import type { Identification } from './identification.ts'
import { type Joining, joinKeys } from './join-rules.ts'
import type { ReadHeaders, RecordingRequest } from './recording-session-request.ts'
import { SessionCall } from './session-call.ts'
import { SessionKnowledge, type SessionKnowledgeOptions } from './session-knowledge.ts'
import type { SessionPlane } from './session-plane.ts'
import { SessionRecording } from './session-recording.ts'

export interface CallMakerOptions {
  readonly nodeId: string
  readonly journal: ContactJournal
  readonly files: RecordingFiles
  readonly identification: Identification
  readonly lines: SessionKnowledgeOptions['lines']
  readonly joining: Joining
  readonly joinable: JoinableContacts
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
  readonly controls: CallControls
}

/** The session that brings a call. */
export interface CallOrigin {
  /** Of the INVITE. */
  readonly headers: ReadHeaders
  readonly requestUri: string
  readonly callId: string
  /** Of the dialog, for what is named in it alone. */
  readonly dialogKey: string
  readonly plane: SessionPlane
  /** How many times as fast as it was spoken the media comes. */
  readonly pace: number
  /** What a re-offer means that is inactive and says no more. */
  readonly inactiveMeans: 'pause' | 'hold'
}

const OWN_GROUP = 'dialog:'
const MOST_GROUPS = 4

/** Makes the calls of recording sessions, and finds out which of them are one. */
export class CallMaker {
  readonly #options: CallMakerOptions
  /** Open recordings by the contacts that they are of. */
  readonly #recordings = new WeakMap<SharedContact, CallRecording[]>()

  constructor(options: CallMakerOptions) {
    this.#options = options
  }

  /** Journals the call's contact, or that this is a further session of one. */
  begin(origin: CallOrigin, message: RecordingRequest, startedAtMs: number): SessionCall {
    const { nodeId, journal, identification, lines, joinable } = this.#options
    const { callId, headers, requestUri, inactiveMeans } = origin
    const invite = { headers, requestUri, inactiveMeans }
    const knowledge = new SessionKnowledge({ ...invite, identification, lines })
    const facts = knowledge.learn(message)
    const keys = this.#keysOf(knowledge, origin, message)
    const joins = joinable.find(keys, facts)
    const contact = new ContactRecord({
      journal,
      nodeId,
      callId,
      capture: 'siprec',
      startedAtMs,
      facts,
      agents: knowledge.agents,
      ...(joins === undefined ? {} : { joins }),
    })
    const { soleRole } = knowledge
    const recording = this.#recordingFor(contact, origin, soleRole)
    const call = new SessionCall({ contact, knowledge, part: recording.join(soleRole) })
    this.#note(call, keys, startedAtMs)
    return call
  }

  /** Takes what a later message tells of a call; it may be one that another session brings as well. */
  learn(
    call: SessionCall,
    {
      origin,
      message,
      headers,
      atMs,
    }: {
      readonly origin: CallOrigin
      readonly message: RecordingRequest
      readonly headers: ReadHeaders
      readonly atMs: number
    },
  ): void {
    const { contact, knowledge } = call
    contact.change(knowledge.learn(message, headers), atMs, knowledge.agents)
    this.#note(call, this.#keysOf(knowledge, origin, message), atMs)
  }

  #note({ contact }: SessionCall, keys: readonly JoinKey[], atMs: number): void {
    const { joinable, journal } = this.#options
    const found = joinable.find(keys, contact.facts)
    if (found !== undefined && found !== contact.contact) contact.join(found, atMs)
    // What is named in this dialog alone joins nothing elsewhere.
    const added = joinable
      .note(keys, contact.contact)
      .filter(({ key }) => !key.startsWith(OWN_GROUP))
    if (added.length === 0) return
    const { contactId } = contact
    journal.append({ kind: 'contact.keyed', contactId, seenAtMs: atMs, keys: added })
  }

  /** What its session and others name the call, and the groups that this dialog's own calls may be of together. */
  #keysOf(
    { references }: SessionKnowledge,
    { dialogKey }: CallOrigin,
    { metadata }: RecordingRequest,
  ): readonly JoinKey[] {
    const { joining } = this.#options
    const groups = (metadata?.sessions ?? []).flatMap(({ groupId }) => groupId ?? [])
    const own = [...new Set(groups)].slice(0, MOST_GROUPS).map((groupId) => ({
      key: `${OWN_GROUP}${dialogKey}/${groupId}`,
      afterEndMs: joining.afterEndMs,
    }))
    return [...joinKeys(references, joining), ...own]
  }

  #recordingFor(
    contact: ContactRecord,
    { plane, pace }: CallOrigin,
    soleRole: SessionKnowledge['soleRole'],
  ): CallRecording {
    const recordings = this.#recordings.get(contact.contact) ?? []
    const shared = recordings.find((recording) => recording.canTake(soleRole, plane))
    if (shared !== undefined) return shared
    const { log, controls } = this.#options
    const { callId, contactId } = contact
    const control = controls.create(contact)
    const made = new CallRecording({
      recording: new SessionRecording({
        ...this.#options,
        contact,
        control,
        plane,
        pace,
        log: log.child({ callId, contactId }),
      }),
      contact,
      control,
      plane,
    })
    this.#recordings.set(contact.contact, [...recordings.filter(({ isClosed }) => !isClosed), made])
    return made
  }
}
