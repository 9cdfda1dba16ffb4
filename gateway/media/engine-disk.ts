import type { MessagePort } from 'node:worker_threads'
import type { EngineSettings } from '../../recorder/engine-protocol.ts'

/** What an engine's thread is given besides its settings: the way to the disk of open recordings. */
export interface EngineDisk {
  readonly disk: {
    /** Brings a port to the thread that works on it, and another one where that dies. */
    readonly ports: MessagePort
    readonly hungAfterMs: number
  }
}

/** The first message to an engine's thread; all others are requests. Without a disk it writes files by itself. */
export type EngineSetup = EngineSettings & Partial<EngineDisk> & { readonly logLevel: string }
