/** What is known of a finished recording's file. */
export interface FinishedFile {
  readonly bytes: number
  readonly sha256: string
}

/** Where finished recordings go. */
export interface RecordingFiles {
  /**
   * Moves a finished recording from the spool to the store and tells where it stands, relative to the store.
   * Rejects where it cannot, with the code `ENOENT` where there is no such file; else it stays in the spool.
   */
  keep(recordingId: string, finished?: FinishedFile): Promise<string>
  /** Has a recording moved that the store does not take now, as soon as it does, and its row told. */
  keepLater?(recordingId: string, finished: FinishedFile): void
}
