import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { RecordingStore } from '../storage/recording-store.ts'
import { filesOf } from '../storage/store-file.ts'

/** A recording whose files are to go; `file` is its row's own. */
export interface ErasedRecording {
  readonly id: string
  readonly file: string | null
}

/** `gone` says that there was no file, an error that one cannot be removed. */
export type Erasure = 'erased' | 'gone' | TallenneError

/**
 * Removes all that the store has of recordings for good, in one go: beside a row's own file there may be one that a
 * crash left before the row knew of it, in any form, or half written. Tells what came of each, in their order.
 */
export async function eraseRecordings(
  store: Pick<RecordingStore, 'eraseAll'>,
  recordings: readonly ErasedRecording[],
): Promise<readonly Erasure[]> {
  const files = recordings.map(({ id, file }) => attempted(() => filesOf(id, file)))
  const readable = files.flatMap((some) => (some instanceof TallenneError ? [] : some))
  let left: readonly Erasure[]
  try {
    left = await store.eraseAll(readable)
  } catch (error) {
    left = readable.map(() => asError(error))
  }
  return files.map((some) => {
    if (some instanceof TallenneError) return some
    const outcomes = left.slice(0, some.length)
    left = left.slice(some.length)
    const failure = outcomes.find((outcome) => outcome instanceof TallenneError)
    return failure ?? (outcomes.includes('erased') ? 'erased' : 'gone')
  })
}

function attempted<Result>(work: () => Result): Result | TallenneError {
  try {
    return work()
  } catch (error) {
    return asError(error)
  }
}

function asError(error: unknown): TallenneError {
  return error instanceof TallenneError
    ? error
    : new TallenneError('not_erased', messageOf(error), { cause: error })
}
