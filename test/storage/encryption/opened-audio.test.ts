import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { DirectDisk } from '../../../storage/disk/direct-disk.ts'
import { writeAgeFile } from '../../../storage/encryption/age-file.ts'
import { wrapNewKey } from '../../../storage/encryption/age-header.ts'
import { openAudio } from '../../../storage/encryption/opened-audio.ts'
import { collect } from './collect.ts'
import { audioOf, makeKey } from './keys.ts'

const CHUNK = 65_536

async function* once(audio: Buffer) {
  yield audio
}

async function ageFile(folder: string, audio: Buffer) {
  const key = await makeKey(folder)
  const path = join(folder, 'a.opus.age')
  await writeAgeFile(path, {
    disk: new DirectDisk(),
    wrapped: await wrapNewKey([key.recipient]),
    audio: once(audio),
  })
  return { key, path }
}

t.test('a file in the clear is read as it is, with and without identities', async (t) => {
  const folder = t.testdir()
  const audio = audioOf(150_000)
  const path = join(folder, 'a.opus')
  writeFileSync(path, audio)
  const opened = await openAudio(await open(path), undefined)
  t.match(opened, { form: 'plain', bytes: 150_000, storedBytes: 150_000 })
  t.ok((await collect(opened, 10, 140_000)).equals(audio.subarray(10, 140_001)))
  await opened.close()
})

t.test('any range of an encrypted file is that of the audio', async (t) => {
  const audio = audioOf(3 * CHUNK + 100)
  const { key, path } = await ageFile(t.testdir(), audio)
  const opened = await openAudio(await open(path), key.identities)
  t.equal(opened.form, 'age')
  t.equal(opened.bytes, audio.length)
  t.equal(opened.storedBytes, statSync(path).size)
  const at = fc.nat(audio.length - 1)
  await fc.assert(
    fc.asyncProperty(at, at, async (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)]
      return (await collect(opened, first, last)).equals(audio.subarray(first, last + 1))
    }),
    { numRuns: 50 },
  )
  await opened.close()
})

t.test('a range decrypts no more chunks than it lies in', async (t) => {
  const audio = audioOf(8 * CHUNK)
  const { key, path } = await ageFile(t.testdir(), audio)
  const file = await open(path)
  const reads: number[] = []
  const watched = new Proxy(file, {
    get: (target, name) => {
      const value = Reflect.get(target, name)
      if (name !== 'read') return typeof value === 'function' ? value.bind(target) : value
      return (...given: readonly unknown[]) => {
        reads.push(Number(given[2]))
        return Reflect.apply(value, target, given)
      }
    },
  })
  const opened = await openAudio(watched, key.identities)
  reads.length = 0
  await collect(opened, 3 * CHUNK + 5, 4 * CHUNK + 5)
  t.same(reads, [CHUNK + 16, CHUNK + 16])
  await opened.close()
})

t.test('an encrypted file without identities says so', async (t) => {
  const { path } = await ageFile(t.testdir(), audioOf(10))
  await t.rejects(openAudio(await open(path), undefined), { code: 'identity_missing' })
})

t.test('another’s identity says so, and where it was looked for', async (t) => {
  const folder = t.testdir()
  const { path } = await ageFile(folder, audioOf(10))
  const other = await makeKey(folder, 'other.txt')
  await t.rejects(openAudio(await open(path), other.identities), {
    code: 'identity_wrong',
    message: new RegExp(other.path),
  })
})

t.test('a flipped bit is damage and never other audio, wherever it is', async (t) => {
  const folder = t.testdir()
  const audio = audioOf(2 * CHUNK + 500)
  const { key, path } = await ageFile(folder, audio)
  const whole = readFileSync(path)
  const damagedPath = join(folder, 'damaged.age')
  const last = whole.length - 1
  const headerEnd = whole.indexOf('\n--- ')
  for (const at of [
    0,
    21,
    headerEnd + 8,
    headerEnd + 60,
    400,
    CHUNK,
    2 * CHUNK - 3,
    last - 600,
    last,
  ]) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 0x04
    writeFileSync(damagedPath, damaged)
    await t.rejects(
      async () => {
        const opened = await openAudio(await open(damagedPath), key.identities, { form: 'age' })
        try {
          await collect(opened, 0, opened.bytes - 1)
        } finally {
          await opened.close()
        }
      },
      { code: 'file_damaged' },
      `byte ${at}`,
    )
  }
})

t.test('a file that is cut anywhere is damage', async (t) => {
  const folder = t.testdir()
  const { key, path } = await ageFile(folder, audioOf(CHUNK + 300))
  const whole = readFileSync(path)
  const cutPath = join(folder, 'cut.age')
  const lengths = [
    ...Array.from({ length: 422 }, (_, index) => index),
    CHUNK,
    whole.length - 300,
    whole.length - 1,
  ]
  for (const length of lengths) {
    writeFileSync(cutPath, whole.subarray(0, length))
    await t.rejects(
      openAudio(await open(cutPath), key.identities, { form: 'age' }),
      { code: 'file_damaged' },
      `${length} bytes`,
    )
  }
})
