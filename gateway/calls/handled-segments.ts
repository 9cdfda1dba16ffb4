import { newId } from '../../base/uuid.ts'
import type { ContactJournal } from '../../storage/model.ts'

/**
 * Who handles a contact from when to when: one segment for each agent who is there, so that those of a conference
 * overlap, and one for nobody while there is none.
 */
export class HandledSegments {
  readonly #contactId: string
  readonly #journal: ContactJournal
  /** Ids of the open segments by their agents. */
  readonly #open = new Map<string | null, string>()

  constructor(options: { readonly contactId: string; readonly journal: ContactJournal }) {
    this.#contactId = options.contactId
    this.#journal = options.journal
  }

  get areOpen(): boolean {
    return this.#open.size > 0
  }

  /** These handle it from now on: segments of others end, and those of newcomers begin. */
  handledBy(agents: readonly string[], atMs: number): void {
    const present = new Set<string | null>(agents.length === 0 ? [null] : agents)
    for (const agent of [...this.#open.keys()]) if (!present.has(agent)) this.#end(agent, atMs)
    for (const agent of present) if (!this.#open.has(agent)) this.#start(agent, atMs)
  }

  end(atMs: number): void {
    for (const agent of [...this.#open.keys()]) this.#end(agent, atMs)
  }

  #start(agent: string | null, startedAtMs: number): void {
    const segmentId = newId()
    this.#open.set(agent, segmentId)
    this.#journal.append({
      kind: 'segment.started',
      segmentId,
      contactId: this.#contactId,
      agent,
      startedAtMs,
    })
  }

  #end(agent: string | null, endedAtMs: number): void {
    const segmentId = this.#open.get(agent)
    if (segmentId === undefined) return
    this.#open.delete(agent)
    this.#journal.append({ kind: 'segment.ended', segmentId, endedAtMs })
  }
}
