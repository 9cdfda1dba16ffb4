import { Encrypter } from 'age-encryption'

const MAGIC = 'age-encryption.org/v1\n'
/** Twenty recipients take 2 KiB. */
export const MAX_HEADER_BYTES = 16_384
/** What stands behind the header of an empty age file: the nonce, and the tag of an empty chunk. */
const EMPTY_PAYLOAD_BYTES = 32

/** A file key, and the age header that holds it for the owners of the recipients' identities. */
export interface WrappedKey {
  readonly header: Uint8Array
  /** 16 bytes that open the file. Whoever has it wipes it when the file is written. */
  readonly fileKey: Uint8Array
}

/** Makes a key for one file. */
export async function wrapNewKey(recipients: readonly string[]): Promise<WrappedKey> {
  const encrypter = new Encrypter()
  let fileKey = new Uint8Array(0)
  // A recipient of one's own is how the package tells the key: this one learns it and leaves nothing in the header.
  encrypter.addRecipient({
    wrapFileKey: (key) => {
      fileKey = Uint8Array.from(key)
      return []
    },
  })
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  const empty = await encrypter.encrypt(new Uint8Array(0))
  return { header: empty.slice(0, empty.length - EMPTY_PAYLOAD_BYTES), fileKey }
}

/** Where the age header at the beginning of `bytes` ends; undefined where there is none, or no whole one. */
export function headerEndOf(bytes: Uint8Array): number | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (!text.startsWith(MAGIC)) return undefined
  // The header ends with the line of its authentication code, which alone begins so.
  const lastLine = text.indexOf('\n--- ')
  const end = lastLine < 0 ? -1 : text.indexOf('\n', lastLine + 1)
  return end < 0 || end >= MAX_HEADER_BYTES ? undefined : end + 1
}

/** Whether a file that begins so is an age file, whole or not. */
export function isAgeFile(bytes: Uint8Array): boolean {
  const begin = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAGIC.length))
  return begin.toString('latin1') === MAGIC
}
