import type { MessagePort } from 'node:worker_threads'

/** What an engine's thread is given besides its settings: the way to the disk of open recordings. */
export interface EngineDisk {
  readonly disk: {
    readonly port: MessagePort
    readonly hungAfterMs: number
  }
}
