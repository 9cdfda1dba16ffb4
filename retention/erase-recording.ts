import type { RecordingStore } from '../storage/recording-store.ts'
import { FILE_FORMS, storeFileOf } from '../storage/store-file.ts'

/**
 * Removes a recording's file for good. A row that knows no file may have one all the same, after a crash at the wrong
 * moment, in any form.
 */
export async function eraseRecording(
  store: Pick<RecordingStore, 'erase'>,
  { id, file }: { readonly id: string; readonly file: string | null },
): Promise<'erased' | 'gone'> {
  if (file !== null) return store.erase(file)
  let outcome: 'erased' | 'gone' = 'gone'
  for (const form of FILE_FORMS) {
    if ((await store.erase(storeFileOf(id, form))) === 'erased') outcome = 'erased'
  }
  return outcome
}
