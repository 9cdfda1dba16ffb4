import { createHash } from 'node:crypto'
import type { PageSink, SinkFacts } from '../../recorder/page-sink.ts'

/** A sink that keeps its pages, and fails after so many where told to. */
export class MemorySink implements PageSink {
  readonly pages: Uint8Array[] = []
  readonly #failAfter: number
  failure: PageSink['failure'] = undefined
  pendingBytes = 0
  isFinished = false

  constructor(failAfter = Number.POSITIVE_INFINITY) {
    this.#failAfter = failAfter
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pages)
  }

  write(page: Uint8Array): void {
    if (this.pages.length >= this.#failAfter) {
      this.failure ??= { code: 'disk_full', message: 'no space left' }
      return
    }
    this.pages.push(page)
  }

  finish(): Promise<SinkFacts> {
    this.isFinished = true
    const { bytes } = this
    return Promise.resolve({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })
  }
}
