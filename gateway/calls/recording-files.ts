import type { EndedFile } from '../../storage/recording-store.ts'

/** Where finished recordings go. */
export interface RecordingFiles {
  /**
   * Moves a finished recording from the spool to the store and tells where it stands, relative to the store.
   * Rejects where it cannot, with the code `ENOENT` where there is no such file; else it stays in the spool.
   */
  keep(recordingId: string, ended?: EndedFile): Promise<string>
  /** Has a recording moved that the store does not take now, as soon as it does, and its row told. */
  keepLater?(recordingId: string, ended?: EndedFile): void
}
