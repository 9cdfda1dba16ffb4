import { createHash, randomBytes } from 'node:crypto'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Disk } from '../disk/disk.ts'
import type { WrappedKey } from './age-header.ts'
import { AGE_CHUNK_BYTES, AGE_NONCE_BYTES, payloadKeyOf, sealPiece } from './age-stream.ts'

/** A file and the audio that it holds; digests in lower-case hexadecimal. */
export interface AgeFileFacts {
  readonly bytes: number
  readonly sha256: string
  readonly audioBytes: number
  readonly audioSha256: string
}

export interface AgeFileOptions {
  readonly disk: Disk
  readonly wrapped: WrappedKey
  readonly audio: AsyncIterable<Uint8Array>
}

/**
 * Writes an age file and resolves when its bytes are on the disk for good: mode 0600, and it must not be there. Rejects
 * with what the source or the disk says, and leaves nothing then.
 */
export async function writeAgeFile(
  path: string,
  { disk, wrapped, audio }: AgeFileOptions,
): Promise<AgeFileFacts> {
  await disk.run({ kind: 'open', path })
  try {
    const append = async (bytes: Uint8Array, position: number) => {
      const { failure } = await disk.run({ kind: 'append', path, position, bytes })
      if (failure) throw new TallenneError(failure.code, failure.message)
    }
    const writer = new AgeWriter(append, wrapped.fileKey)
    await writer.begin(wrapped.header)
    for await (const bytes of audio) await writer.write(bytes)
    const facts = await writer.finish()
    await disk.run({ kind: 'finish', path })
    return facts
  } catch (error) {
    // Nobody waits for a disk that hangs: the next start removes what it holds.
    disk.run({ kind: 'abandon', path, keepBytes: 0, wasOpened: true }).catch(() => {})
    throw error
  }
}

/** Chunks what comes and writes the chunks. */
class AgeWriter {
  readonly #append: (bytes: Uint8Array, position: number) => Promise<void>
  readonly #nonce = randomBytes(AGE_NONCE_BYTES)
  readonly #key: Uint8Array
  readonly #fileHash = createHash('sha256')
  readonly #audioHash = createHash('sha256')
  readonly #chunk = new Uint8Array(AGE_CHUNK_BYTES)
  #chunkBytes = 0
  #index = 0
  #bytes = 0
  #audioBytes = 0

  constructor(append: (bytes: Uint8Array, position: number) => Promise<void>, fileKey: Uint8Array) {
    this.#append = append
    this.#key = payloadKeyOf(fileKey, this.#nonce)
  }

  begin(header: Uint8Array): Promise<void> {
    return this.#put([header, this.#nonce])
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#audioHash.update(bytes)
    this.#audioBytes += bytes.length
    for (let at = 0; at < bytes.length; ) {
      // A full chunk waits for what follows: only then it is known not to be the last.
      if (this.#chunkBytes === AGE_CHUNK_BYTES) await this.#flush(false)
      const part = bytes.subarray(at, at + AGE_CHUNK_BYTES - this.#chunkBytes)
      this.#chunk.set(part, this.#chunkBytes)
      this.#chunkBytes += part.length
      at += part.length
    }
  }

  async finish(): Promise<AgeFileFacts> {
    await this.#flush(true)
    return {
      bytes: this.#bytes,
      sha256: this.#fileHash.digest('hex'),
      audioBytes: this.#audioBytes,
      audioSha256: this.#audioHash.digest('hex'),
    }
  }

  async #flush(isLast: boolean): Promise<void> {
    const plain = this.#chunk.subarray(0, this.#chunkBytes)
    const pieces = sealPiece(this.#key, { index: this.#index++, isLast }, { plain })
    this.#chunkBytes = 0
    await this.#put(pieces)
  }

  async #put(pieces: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(pieces)
    this.#fileHash.update(bytes)
    const position = this.#bytes
    this.#bytes += bytes.length
    await this.#append(bytes, position)
  }
}
