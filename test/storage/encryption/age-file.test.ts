import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { DirectDisk } from '../../../storage/disk/direct-disk.ts'
import { writeAgeFile } from '../../../storage/encryption/age-file.ts'
import { wrapNewKey } from '../../../storage/encryption/age-header.ts'
import { plainBytesOf } from '../../../storage/encryption/age-stream.ts'
import { openAudio } from '../../../storage/encryption/opened-audio.ts'
import { audioOf, encryptWithAge, makeKey, openWithAge } from './keys.ts'

const disk = new DirectDisk()
const CHUNK = 65_536
/** Around the ends of chunks. */
const LENGTHS = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 17]

async function* inPieces(audio: Buffer, pieceBytes: number) {
  for (let at = 0; at < audio.length; at += pieceBytes) yield audio.subarray(at, at + pieceBytes)
}

async function readAll(path: string, key: Awaited<ReturnType<typeof makeKey>>): Promise<Buffer> {
  const audio = await openAudio(await open(path), key.identities)
  const pieces: Uint8Array[] = []
  for await (const piece of audio.read(0, audio.bytes - 1)) pieces.push(piece)
  await audio.close()
  return Buffer.concat(pieces)
}

t.test('the age program opens what is written, whatever its length', async (t) => {
  const folder = t.testdir()
  const key = await makeKey(folder)
  const other = await makeKey(folder, 'other.txt')
  for (const length of LENGTHS) {
    const audio = audioOf(length)
    const path = join(folder, `${length}.age`)
    const wrapped = await wrapNewKey([other.recipient, key.recipient])
    const facts = await writeAgeFile(path, { disk, wrapped, audio: inPieces(audio, 1000) })
    t.ok(openWithAge(path, key.path).equals(audio), `${length} bytes`)
    t.ok(openWithAge(path, other.path).equals(audio))
    t.same(facts, {
      bytes: statSync(path).size,
      sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
      audioBytes: length,
      audioSha256: createHash('sha256').update(audio).digest('hex'),
    })
    t.equal(statSync(path).mode & 0o777, 0o600)
  }
})

t.test('what the age program wrote is opened', async (t) => {
  const folder = t.testdir()
  const key = await makeKey(folder)
  for (const length of LENGTHS) {
    const audio = audioOf(length)
    writeFileSync(join(folder, 'plain'), audio)
    const path = join(folder, `${length}.age`)
    encryptWithAge(join(folder, 'plain'), path, [key.recipient])
    t.ok((await readAll(path, key)).equals(audio), `${length} bytes`)
  }
})

t.test('a source that fails leaves no file', async (t) => {
  const folder = t.testdir()
  const key = await makeKey(folder)
  const path = join(folder, 'a.age')
  async function* failing() {
    yield audioOf(100_000)
    throw new Error('the disk is gone')
  }
  const wrapped = await wrapNewKey([key.recipient])
  await t.rejects(writeAgeFile(path, { disk, wrapped, audio: failing() }), /the disk is gone/)
  t.notOk(existsSync(path))
})

t.test('the length of the audio follows from that of the payload, where it is one', (t) => {
  t.equal(plainBytesOf(16), 0)
  t.equal(plainBytesOf(CHUNK + 16), CHUNK)
  t.equal(plainBytesOf(CHUNK + 16 + 17), CHUNK + 1)
  for (const bytes of [-1, 0, 15, CHUNK + 17, CHUNK + 32]) t.equal(plainBytesOf(bytes), undefined)
  t.end()
})
