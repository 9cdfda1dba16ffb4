import type { Dialog } from './dialog.ts'
import { SourceCounts } from './source-counts.ts'
import { sourceKey } from './source-key.ts'

/** The dialogs of the server, by what requests and clients call them. */
export class DialogTable {
  readonly #byTags = new Map<string, Dialog>()
  readonly #byId = new Map<string, Dialog>()
  readonly #byCallId = new Map<string, Dialog>()
  /** Under which source each is counted: where it began, wherever its peer may be by now. */
  readonly #sources = new Map<Dialog, string>()
  readonly #counts = new SourceCounts()

  get size(): number {
    return this.#byTags.size
  }

  /** Where a fork has confirmed a dialog of that id already, clients go on knowing that one by it. */
  add(dialog: Dialog): void {
    this.#byTags.set(tagsKey(dialog), dialog)
    this.#count(dialog)
    const known = this.#byId.get(dialog.id)
    if (known?.isConfirmed && known.remoteTag !== dialog.remoteTag) return
    this.#byId.set(dialog.id, dialog)
    this.#byCallId.set(dialog.callId, dialog)
  }

  /** Ends its session timer as well. Idempotent. */
  remove(dialog: Dialog): void {
    dialog.sessionTimer?.cancel()
    dialog.sessionTimer = undefined
    if (this.has(dialog)) this.#byTags.delete(tagsKey(dialog))
    this.#uncount(dialog)
    if (this.#byId.get(dialog.id) === dialog) this.#byId.delete(dialog.id)
    if (this.#byCallId.get(dialog.callId) === dialog) this.#byCallId.delete(dialog.callId)
  }

  /** The dialog of a message from the network, whose To tag is ours where it is a request. */
  find(tags: {
    readonly callId: string
    readonly localTag: string
    readonly remoteTag: string
  }): Dialog | undefined {
    return this.#byTags.get(tagsKey(tags))
  }

  has(dialog: Dialog): boolean {
    return this.#byTags.get(tagsKey(dialog)) === dialog
  }

  /** How many there are with a source, which is a key of `sourceKey`. */
  countWith(source: string): number {
    return this.#counts.of(source)
  }

  findById(id: string): Dialog | undefined {
    return this.#byId.get(id)
  }

  /** The newest dialog with that Call-ID, whoever began it. */
  findByCallId(callId: string): Dialog | undefined {
    return this.#byCallId.get(callId)
  }

  /** Forgets all. */
  clear(): void {
    for (const dialog of [...this.#byTags.values()]) this.remove(dialog)
  }

  #count(dialog: Dialog): void {
    if (this.#sources.has(dialog)) return
    const source = sourceKey(dialog.peer.host)
    this.#sources.set(dialog, source)
    this.#counts.add(source)
  }

  #uncount(dialog: Dialog): void {
    const source = this.#sources.get(dialog)
    if (source === undefined) return
    this.#sources.delete(dialog)
    this.#counts.remove(source)
  }
}

function tagsKey(tags: {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
}): string {
  return `${tags.callId}|${tags.localTag}|${tags.remoteTag}`
}
