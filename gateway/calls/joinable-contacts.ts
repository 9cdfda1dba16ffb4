import type { Clock, Timer } from '../../base/clock.ts'
import type { JoinKey } from '../../storage/model.ts'
import type { SharedContact } from './shared-contact.ts'
import { type ContactFacts, contradict } from './testimony.ts'

interface Named {
  readonly contact: SharedContact
  readonly afterEndMs: number
}

const FORGET_EVERY_MS = 60_000

/**
 * The contacts of this node by the names that their sessions have in common: those that go on, and for a while those
 * that have ended. What other nodes have, and what was before a restart, is joined where the rows are written.
 */
export class JoinableContacts {
  readonly #clock: Clock
  readonly #named = new Map<string, Named>()
  #forgetting: Timer | undefined

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock
  }

  /** Begins to forget what has ended. Idempotent. */
  start(): void {
    this.#forgetting ??= this.#clock.every(FORGET_EVERY_MS, () => this.#forget())
  }

  close(): void {
    this.#forgetting?.cancel()
    this.#forgetting = undefined
  }

  /** The contact that any of the names leads to, unless it is another caller's. */
  find(keys: readonly JoinKey[], facts: ContactFacts): SharedContact | undefined {
    for (const { key } of keys) {
      const named = this.#named.get(key)
      if (named === undefined || this.#hasPassed(named)) continue
      const contact = named.contact.current
      if (!contradict(contact.facts, facts)) return contact
    }
    return undefined
  }

  /** The names lead to the contact from now on, where they lead to none that counts. Tells which ones do so newly. */
  note(keys: readonly JoinKey[], contact: SharedContact): readonly JoinKey[] {
    return keys.filter(({ key, afterEndMs }) => {
      const named = this.#named.get(key)
      const isFree = named === undefined || this.#hasPassed(named)
      if (isFree) this.#named.set(key, { contact, afterEndMs })
      return isFree
    })
  }

  #hasPassed({ contact, afterEndMs }: Named): boolean {
    const { endedAtMs } = contact.current
    return endedAtMs !== undefined && endedAtMs + afterEndMs < this.#clock.epochMs()
  }

  #forget(): void {
    for (const [key, named] of this.#named) if (this.#hasPassed(named)) this.#named.delete(key)
  }
}
