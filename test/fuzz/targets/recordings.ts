import { open } from 'node:fs/promises'
import { generateX25519Identity } from 'age-encryption'
import { TallenneError } from '../../../base/tallenne-error.ts'
import {
  AGE_CHUNK_BYTES,
  AGE_NONCE_BYTES,
  payloadKeyOf,
  sealPiece,
} from '../../../storage/encryption/age-stream.ts'
import { Identities } from '../../../storage/encryption/identities.ts'
import { type KeyOpener, openAudio, wholeOf } from '../../../storage/encryption/opened-audio.ts'
import { recordKeyOf, SALT_BYTES, sealRecord } from '../../../storage/encryption/sealed-record.ts'
import { repairSealed } from '../../../storage/encryption/sealed-repair.ts'
import { isSealed, writeBeginning } from '../../../storage/encryption/sealed-scan.ts'
import { audioOf } from '../../storage/encryption/keys.ts'
import { type FuzzTarget, Unsound } from '../target.ts'
import { withFile } from './files.ts'

const FILE_KEY = Buffer.alloc(16, 7)
const HEADER = Buffer.from(
  [
    'age-encryption.org/v1',
    '-> X25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '',
  ].join('\n'),
)
const AUDIO = audioOf(AGE_CHUNK_BYTES + 300)

function ageFile(audio: Uint8Array): Uint8Array {
  const nonce = Buffer.alloc(AGE_NONCE_BYTES)
  const key = payloadKeyOf(FILE_KEY, nonce)
  const pieces: Uint8Array[] = []
  for (let at = 0, index = 0; at < audio.length; at += AGE_CHUNK_BYTES, index++) {
    const plain = audio.subarray(at, at + AGE_CHUNK_BYTES)
    const isLast = at + AGE_CHUNK_BYTES >= audio.length
    pieces.push(...sealPiece(key, { index, isLast }, { plain }))
  }
  return Buffer.concat([HEADER, nonce, ...pieces])
}

function sealedFile(audio: Uint8Array, pageBytes: number): Uint8Array {
  const salt = Buffer.alloc(SALT_BYTES)
  const key = recordKeyOf(FILE_KEY, salt)
  const records: Uint8Array[] = []
  let index = 0
  for (let at = 0; at < audio.length; at += pageBytes, index++) {
    const facts = { index, position: at, isEnd: false }
    records.push(sealRecord(key, facts, audio.subarray(at, at + pageBytes)))
  }
  records.push(sealRecord(key, { index, position: audio.length, isEnd: true }, new Uint8Array(0)))
  const beginning = writeBeginning({ keySet: '0123456789abcdef', header: HEADER, salt })
  return Buffer.concat([beginning, ...records])
}

/** An encrypted file that anything has happened to gives the audio that was written, a beginning of it, or an error. */
export const recordings: FuzzTarget = {
  name: 'recordings',
  covers: ['storage/encryption/'],
  seeds: () => [
    ageFile(AUDIO.subarray(0, 300)),
    ageFile(AUDIO),
    sealedFile(AUDIO.subarray(0, 300), 100),
    sealedFile(AUDIO.subarray(0, 3000), 900),
  ],
  words: ['age-encryption.org/v1\n', '\n--- ', '-> X25519 ', 'tallenne-sealed/1 ', '\u0000\u0000'],
  maxBytes: 70_000,
  start: async () => {
    const stranger = new Identities([await generateX25519Identity()], 'identity.txt')
    const opener: KeyOpener = {
      open: (header) =>
        Buffer.compare(header, HEADER) === 0
          ? Promise.resolve(Uint8Array.from(FILE_KEY))
          : stranger.open(header),
    }
    return withFile('recording', async (path) => {
      const form = await heard(path, opener)
      if (form !== 'plain') return
      const head = Buffer.alloc(64)
      const file = await open(path, 'r')
      await file.read(head, 0, head.length, 0)
      await file.close()
      if (isSealed(head)) throw new Unsound('a sealed recording that is taken for audio')
    })
  },
}

/** What the file is, where it can be heard, as it is and after a repair. */
async function heard(path: string, opener: KeyOpener): Promise<string | undefined> {
  const form = await orError(async () => {
    const audio = await openAudio(await open(path, 'r'), opener)
    try {
      if (audio.form === 'plain') return audio.form
      const pieces: Uint8Array[] = []
      for await (const piece of wholeOf(audio)) pieces.push(Uint8Array.from(piece))
      const bytes = Buffer.concat(pieces)
      if (bytes.length !== audio.bytes) throw new Unsound(`${bytes.length} of ${audio.bytes} bytes`)
      if (!bytes.equals(AUDIO.subarray(0, bytes.length))) throw new Unsound('other audio')
      return audio.form
    } finally {
      await audio.close()
    }
  })
  await orError(() => repairSealed(path))
  return form
}

async function orError<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TallenneError) return undefined
    throw error
  }
}
