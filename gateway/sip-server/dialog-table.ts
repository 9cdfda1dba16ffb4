import type { Dialog } from './dialog.ts'

/** The dialogs of the server, by what requests and clients call them. */
export class DialogTable {
  readonly #byTags = new Map<string, Dialog>()
  readonly #byId = new Map<string, Dialog>()

  get size(): number {
    return this.#byTags.size
  }

  add(dialog: Dialog): void {
    this.#byTags.set(tagsKey(dialog), dialog)
    this.#byId.set(dialog.id, dialog)
  }

  /** Idempotent. */
  remove(dialog: Dialog): void {
    this.#byTags.delete(tagsKey(dialog))
    if (this.#byId.get(dialog.id) === dialog) this.#byId.delete(dialog.id)
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

  findById(id: string): Dialog | undefined {
    return this.#byId.get(id)
  }

  /** The dialog that holds that Call-ID, whoever began it; rare, so not indexed. */
  findByCallId(callId: string): Dialog | undefined {
    for (const dialog of this.#byId.values()) if (dialog.callId === callId) return dialog
    return undefined
  }

  all(): readonly Dialog[] {
    return [...this.#byTags.values()]
  }
}

function tagsKey(tags: {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
}): string {
  return `${tags.callId}|${tags.localTag}|${tags.remoteTag}`
}
