import { mergeMetadata } from './merge-metadata.ts'
import type { MetadataSession, RecordingMetadata } from './recording-metadata.ts'
import { scopeMetadata } from './scope-metadata.ts'

/** What a dialog's metadata says of one of its calls. */
export interface DividedCall {
  /** Counts the dialog's calls. */
  readonly id: number
  /** Of this call alone, updates merged; null where nothing was told. */
  readonly metadata: RecordingMetadata | null
  /** The dialog has never been more than this call: all that it is told is the call's. */
  readonly isWhole: boolean
}

/** A call of the dialog that goes on. */
interface Scope {
  readonly id: number
  /** Ids of its communication sessions; none where nothing named one yet. */
  readonly sessionIds: Set<string>
  readonly groupIds: Set<string>
}

/** No client records more calls than these at once in a dialog; it bounds the work for a hostile one. */
const MOST_CALLS = 16

/**
 * Divides what a dialog's messages tell into calls. A dialog is one call, until its metadata shows that it is a
 * persistent recording session (RFC 7866 §10): one that begins without any call, in which calls end while it lives, or
 * which brings several at once (RFC 8068 §3.4, §3.5).
 *
 * Sessions of one group are one call, as when a transfer makes a new session of the old one (RFC 8068 §3.2.3); so is a
 * session without streams of its own, or with one participant alone, since nobody could hear it as a call.
 */
export class CallDivision {
  #metadata: RecordingMetadata | null = null
  #scopes: readonly Scope[]
  #lastId = 0
  /** Whether the dialog has outlived a call, or began without one. */
  #isPersistent: boolean

  /** By the metadata of the INVITE. `isWhole`: it was read without a problem. */
  constructor(metadata: RecordingMetadata | null, isWhole: boolean) {
    this.#isPersistent = metadata !== null && isWhole && isIdle(metadata)
    this.#scopes = this.#isPersistent ? [] : [this.#newScope()]
    if (metadata !== null) this.learn(metadata, isWhole)
  }

  /** The calls that go on now, in the order in which they began. */
  get calls(): readonly DividedCall[] {
    const metadata = this.#metadata
    const isWhole = !this.#isPersistent
    return this.#scopes.map(({ id, sessionIds }) => ({
      id,
      metadata: metadata === null || isWhole ? metadata : scopeMetadata(metadata, sessionIds),
      isWhole,
    }))
  }

  /** Whether the dialog has ever brought a call. */
  get hasBroughtCalls(): boolean {
    return this.#lastId > 0
  }

  /** What comes is taken for a call, though nothing tells of one; the next session that is told is its own. */
  assume(): void {
    if (this.#scopes.length === 0) this.#scopes = [this.#newScope()]
  }

  /** Takes what a message of the dialog tells. Never throws. */
  learn(update: RecordingMetadata, isWhole: boolean): void {
    const metadata = mergeMetadata(this.#metadata, update)
    this.#metadata = metadata
    if (update.dataMode === 'complete' && isWhole && isIdle(update)) {
      this.#end(() => true)
      return
    }
    const going = metadata.sessions.filter(({ stopTime }) => stopTime === null)
    const [only] = this.#scopes
    if (!this.#isPersistent && this.#scopes.length === 1 && only !== undefined) {
      const isUnknown = ({ id }: MetadataSession) => !only.sessionIds.has(id)
      // A client that gives everything new ids after a transfer means the same call.
      if (only.sessionIds.size > 0 && going.length > 0 && going.every(isUnknown)) {
        const isTold = metadata.sessions.some(({ id }) => only.sessionIds.has(id))
        if (!isTold) for (const session of going) take(only, session)
      }
    }
    for (const session of going) this.#place(session, metadata)
    this.#end((scope) => hasStopped(scope, metadata))
    for (const session of going) this.#placeAsCall(session)
  }

  /** A session of a call that goes on. */
  #place(session: MetadataSession, metadata: RecordingMetadata): void {
    const known = this.#scopes.find(
      ({ sessionIds, groupIds }) =>
        sessionIds.has(session.id) || (session.groupId !== null && groupIds.has(session.groupId)),
    )
    const unnamed = this.#scopes.find(({ sessionIds }) => sessionIds.size === 0)
    const scope = known ?? unnamed
    if (scope !== undefined) {
      take(scope, session)
      return
    }
    const [first] = this.#scopes
    if (first === undefined || hasStopped(first, metadata)) return
    if (!isCall(session, metadata)) take(first, session)
  }

  /** A session that is of none of them is another call. */
  #placeAsCall(session: MetadataSession): void {
    if (this.#scopes.some(({ sessionIds }) => sessionIds.has(session.id))) return
    if (this.#scopes.length >= MOST_CALLS) return
    const scope = this.#newScope()
    take(scope, session)
    this.#scopes = [...this.#scopes, scope]
    if (this.#scopes.length > 1) this.#isPersistent = true
  }

  #end(hasEnded: (scope: Scope) => boolean): void {
    const left = this.#scopes.filter((scope) => !hasEnded(scope))
    if (left.length < this.#scopes.length) this.#isPersistent = true
    this.#scopes = left
  }

  #newScope(): Scope {
    this.#lastId++
    return { id: this.#lastId, sessionIds: new Set(), groupIds: new Set() }
  }
}

function take(scope: Scope, { id, groupId }: MetadataSession): void {
  scope.sessionIds.add(id)
  if (groupId !== null) scope.groupIds.add(groupId)
}

/** Every session that it had was stopped, or is not in a snapshot any more. */
function hasStopped({ sessionIds }: Scope, metadata: RecordingMetadata): boolean {
  if (sessionIds.size === 0) return false
  return !metadata.sessions.some(({ id, stopTime }) => sessionIds.has(id) && stopTime === null)
}

/** Between calls a persistent session names nobody and nothing. */
function isIdle({ sessions, participants, streams, vendorFields }: RecordingMetadata): boolean {
  return [sessions, participants, streams, vendorFields].every(({ length }) => length === 0)
}

/** Whether people talk to each other in it, on a stream that is its own. */
function isCall({ id }: MetadataSession, metadata: RecordingMetadata): boolean {
  const participants = metadata.participants.filter(({ sessions }) =>
    sessions.some(({ sessionId }) => sessionId === id),
  )
  return participants.length > 1 && metadata.streams.some(({ sessionId }) => sessionId === id)
}
