/** Where finished recordings go. */
export interface RecordingFiles {
  /**
   * Moves a finished recording from the spool to the store and tells where it stands, relative to the store.
   * Rejects where it cannot; the file then stays in the spool.
   */
  keep(recordingId: string): Promise<string>
}
