import type { JournalState } from './journal-state.ts'

/** How the journal stands, as its threads have told one after the other: what is counted goes on where one has died. */
export class JournalLives {
  #state: JournalState = NOTHING
  /** What threads that have died had counted. */
  #before: JournalState = NOTHING

  get state(): JournalState {
    const [state, before] = [this.#state, this.#before]
    return {
      ...state,
      rejected: before.rejected + state.rejected,
      refused: before.refused + state.refused,
      torn: before.torn + state.torn,
      unreadable: before.unreadable + state.unreadable,
    }
  }

  told(state: JournalState): void {
    this.#state = state
  }

  /** Until the next thread tells, the journal stands as the last one has left it. */
  died(): void {
    this.#before = this.state
    this.#state = { ...this.#state, rejected: 0, refused: 0, torn: 0, unreadable: 0 }
  }
}

const NOTHING: JournalState = {
  depth: 0,
  oldestAgeMs: 0,
  unwritten: 0,
  rejected: 0,
  refused: 0,
  torn: 0,
  unreadable: 0,
  fault: undefined,
  readError: undefined,
  diskError: undefined,
}
