import type { Log } from '../base/log.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { EngineNotice, EngineReply } from './engine-protocol.ts'

/** Answers an engine's requests, each once. */
export class EngineReplies {
  readonly #send: (message: EngineReply | EngineNotice) => void
  readonly #log: Log

  constructor(send: (message: EngineReply | EngineNotice) => void, log: Log) {
    this.#send = send
    this.#log = log
  }

  /** Sends a reply, or a notice that nobody asked for. */
  send(message: EngineReply | EngineNotice): void {
    this.#send(message)
  }

  done(requestId: number): void {
    this.#send({ kind: 'done', requestId })
  }

  refuse(requestId: number, code: string, message: string): void {
    this.#send({ kind: 'refused', requestId, code, message })
  }

  /** Refuses the request where the work for it fails. The work answers it where it succeeds. Never rejects. */
  async settle(requestId: number, work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      const code = error instanceof TallenneError ? error.code : 'engine_failed'
      // Of every other code the one who asked can tell more.
      if (code === 'engine_failed') {
        this.#log.error({ err: error, requestId }, 'engine request failed')
      }
      this.refuse(requestId, code, messageOf(error))
    }
  }
}
