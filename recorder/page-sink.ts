/** How a file hides the audio that was written to it. */
export interface FileEncryption {
  /** An age file, or records that a process left behind before it could make one. */
  readonly form: 'age' | 'sealed'
  /** Names the set of recipients. */
  readonly keySet: string
  /** Bytes of the audio itself; null where a disk that failed no longer tells. */
  readonly audioBytes: number | null
  /** SHA-256 of the audio itself; null where whoever could have read it is gone. */
  readonly audioSha256: string | null
}

/** What a sink holds when nothing more comes. */
export interface SinkFacts {
  /** Bytes of what stands on the disk. */
  readonly bytes: number
  /** SHA-256 of those bytes, in lower-case hexadecimal. */
  readonly sha256: string
  /** Absent where they are the audio itself. */
  readonly encryption?: FileEncryption
}

/**
 * Where finished Ogg pages go. The recorder writes; whoever composes the process decides what it is.
 *
 * `write` takes pages in order, never blocks and never throws: a sink that fails remembers the first
 * failure, drops what follows and tells it through `failure`. The sink owns the bytes it is given.
 */
export interface PageSink {
  write(page: Uint8Array): void
  /** The first failure, or undefined while all is well. `code` is a reason code such as `disk_full`. */
  readonly failure: { readonly code: string; readonly message: string } | undefined
  /** Bytes accepted and not yet written: the recorder counts a sink that falls behind. */
  readonly pendingBytes: number
  /** Waits for what was written, closes, and tells the facts. Idempotent. */
  finish(): Promise<SinkFacts>
}

/** Opens a recording's sink at its first media. Must not block; a sink that cannot open tells so by `failure`. */
export type OpenPageSink = (recordingId: string) => PageSink
