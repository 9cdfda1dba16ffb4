import { open, rename, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { hasCode } from '../base/has-code.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'

/**
 * Writes what was asked for to a file that its owner alone may read, since what calls say is nobody else's business on a
 * shared machine. The file has its name only when it is whole; until then, and where it does not come to that, what was
 * there before stays. Resolves with the bytes written. Rejects with `output_failed`, and with the `TallenneError`s of
 * `pieces`.
 */
export async function writeWhole(
  path: string,
  pieces: AsyncIterable<string | Uint8Array>,
): Promise<number> {
  const part = `${path}.part`
  try {
    await refuseOther(path)
    const handle = await open(part, 'wx', 0o600)
    try {
      const file = handle.createWriteStream()
      await pipeline(Readable.from(pieces), file)
      await rename(part, path)
      return file.bytesWritten
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
  } catch (error) {
    if (error instanceof TallenneError) throw error
    throw new TallenneError(
      'output_failed',
      hasCode(error, 'EEXIST')
        ? `${path} is not written, since ${part} is there: another tallenne is writing it, or was ended while it did; delete that file then.`
        : `${path} could not be written whole (${messageOf(error)}): nothing is left of it.`,
      { cause: error },
    )
  }
}

/** A rename would put a file in the place of a device. */
async function refuseOther(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (found === undefined || found.isFile()) return
  throw new TallenneError('output_failed', `${path} is no file: name a file that is to be written.`)
}
