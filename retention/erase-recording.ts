import type { RecordingStore } from '../storage/recording-store.ts'
import { filesOf } from '../storage/store-file.ts'

/**
 * Removes all that the store has of a recording for good: beside the row's own file there may be one that a crash left
 * before the row knew of it, in any form, or half written. `gone` says that there was none.
 */
export async function eraseRecording(
  store: Pick<RecordingStore, 'erase'>,
  { id, file }: { readonly id: string; readonly file: string | null },
): Promise<'erased' | 'gone'> {
  let outcome: 'erased' | 'gone' = 'gone'
  for (const one of filesOf(id, file)) {
    if ((await store.erase(one)) === 'erased') outcome = 'erased'
  }
  return outcome
}
