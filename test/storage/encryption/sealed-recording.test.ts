import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Turns } from '../../../base/turns.ts'
import { DirectDisk } from '../../../storage/disk/direct-disk.ts'
import { openAudio } from '../../../storage/encryption/opened-audio.ts'
import { SealedRecording } from '../../../storage/encryption/sealed-recording.ts'
import { repairSealed } from '../../../storage/encryption/sealed-repair.ts'
import { sha256 } from '../../sha256.ts'
import { until } from '../../until.ts'
import { collect } from './collect.ts'
import { audioOf, makeKey, openWithAge } from './keys.ts'

/** Each page a different length; its first two bytes tell how far the audio goes with it. */
function pages(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const page = audioOf(200 + index * 37)
    page.writeUInt16BE(index * 10, 0)
    return page
  })
}

async function recording(t: Test) {
  const folder = t.testdir()
  const key = await makeKey(folder)
  const sealedPath = join(folder, 'a.opus.sealed')
  const agePath = join(folder, 'a.opus.age')
  const staysSealed: string[] = []
  const make = () =>
    new SealedRecording({
      recipients: key.recipients,
      sealedPath,
      agePath,
      positionOf: (page) => Buffer.from(page).readUInt16BE(0),
      turns: new Turns(1),
      disk: new DirectDisk(),
      onStayedSealed: (reason) => staysSealed.push(reason),
    })
  return { folder, key, sealedPath, agePath, staysSealed, make }
}

t.test(
  'a recording that ends well becomes an age file, and its facts are those of both',
  async (t) => {
    const { key, sealedPath, agePath, make } = await recording(t)
    const written = pages(150)
    const audio = Buffer.concat(written)
    const sink = make()
    for (const page of written) sink.write(page)
    const facts = await sink.finish()
    t.equal(sink.failure, undefined)
    t.equal(sink.pendingBytes, 0)
    t.ok(openWithAge(agePath, key.path).equals(audio))
    const file = readFileSync(agePath)
    t.same(facts, {
      bytes: file.length,
      sha256: sha256(file),
      encryption: {
        form: 'age',
        keySet: key.recipients.keySet,
        audioBytes: audio.length,
        audioSha256: sha256(audio),
      },
    })
    t.ok(existsSync(sealedPath), 'the records stay until the file is in the store')
    t.equal(await sink.finish(), facts)
  },
)

t.test('no page stands in the spool as it is, and each is there when it was written', async (t) => {
  const { sealedPath, make } = await recording(t)
  const sink = make()
  const secret = Buffer.concat([
    Buffer.from([0, 1]),
    Buffer.from('what the caller said '.repeat(20)),
  ])
  sink.write(secret)
  await until(() => sink.pendingBytes === 0 && statSync(sealedPath).size > secret.length)
  const spooled = readFileSync(sealedPath)
  t.notOk(spooled.includes('what the caller said'))
  t.equal(statSync(sealedPath).mode & 0o777, 0o600)
  await sink.finish()
})

t.test(
  'what a crash leaves is cut to its last whole page without a key, and heard with one',
  async (t) => {
    const { folder, key, sealedPath, make } = await recording(t)
    const written = pages(12)
    const sink = make()
    for (const page of written) sink.write(page)
    await sink.finish()
    const whole = readFileSync(sealedPath)
    const lastPageAt = whole.length - 40 - (written.at(-1)?.length ?? 0) - 40
    const path = join(folder, 'left.opus.sealed')
    for (let length = lastPageAt - 500; length < whole.length; length += 7) {
      writeFileSync(path, whole.subarray(0, length))
      const repaired = await repairSealed(path)
      const left = readFileSync(path)
      t.match(repaired, { bytes: left.length, sha256: sha256(left), keySet: key.recipients.keySet })
      const opened = await openAudio(await open(path), key.identities)
      const audio = await collect(opened)
      await opened.close()
      const pagesLeft = written.filter(
        (_, index) => Buffer.concat(written.slice(0, index + 1)).length <= audio.length,
      )
      t.ok(audio.equals(Buffer.concat(pagesLeft)), `${length} of ${whole.length} bytes`)
      t.equal(repaired.audioBytes, audio.length)
      t.equal(repaired.position, (pagesLeft.length - 1) * 10)
      t.same(await repairSealed(path), repaired, 'a second repair changes nothing')
    }
  },
)

t.test('a beginning that is not whole is told as damage', async (t) => {
  const { folder, sealedPath, make } = await recording(t)
  const sink = make()
  await sink.finish()
  const whole = readFileSync(sealedPath)
  const path = join(folder, 'left')
  for (let length = 0; length < whole.length - 40; length++) {
    writeFileSync(path, whole.subarray(0, length))
    await t.rejects(repairSealed(path), { code: 'file_damaged' })
  }
})

t.test('any range of the records is that of the audio', async (t) => {
  const { key, sealedPath, make } = await recording(t)
  const written = pages(20)
  const audio = Buffer.concat(written)
  const sink = make()
  for (const page of written) sink.write(page)
  await sink.finish()
  const opened = await openAudio(await open(sealedPath), key.identities)
  t.match(opened, { form: 'sealed', bytes: audio.length })
  for (const [first, last] of [
    [0, 0],
    [199, 201],
    [700, 3000],
    [audio.length - 1, audio.length - 1],
    [0, audio.length - 1],
  ] as const) {
    t.ok((await collect(opened, first, last)).equals(audio.subarray(first, last + 1)))
  }
  await opened.close()
})

t.test('a flipped bit in any record is damage', async (t) => {
  const { folder, key, sealedPath, make } = await recording(t)
  const sink = make()
  for (const page of pages(5)) sink.write(page)
  await sink.finish()
  const whole = readFileSync(sealedPath)
  const path = join(folder, 'damaged')
  for (let at = 0; at < whole.length; at += 11) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    writeFileSync(path, damaged)
    const outcome = openAudio(await open(path), key.identities).then(async (opened) => {
      await collect(opened).finally(() => opened.close())
      return opened.form
    })
    // Whose first line is damaged is taken for a file in the clear, which its length belies; whose stanza is damaged
    // cannot be told from one that was made for somebody else.
    const found = await outcome.catch((error: { code: string }) => error.code)
    t.ok(['file_damaged', at < 35 ? 'plain' : 'identity_wrong'].includes(found), `${at}: ${found}`)
  }
})

t.test('where no age file can be made the records stay, and say so', async (t) => {
  const { key, sealedPath, agePath, staysSealed, make } = await recording(t)
  mkdirSync(`${agePath}.part`)
  const sink = make()
  const written = pages(3)
  for (const page of written) sink.write(page)
  const facts = await sink.finish()
  t.equal(sink.failure, undefined)
  t.match(facts, {
    bytes: statSync(sealedPath).size,
    sha256: sha256(readFileSync(sealedPath)),
    encryption: { form: 'sealed', audioSha256: null, audioBytes: Buffer.concat(written).length },
  })
  t.equal(staysSealed.length, 1)
  const opened = await openAudio(await open(sealedPath), key.identities)
  t.ok((await collect(opened)).equals(Buffer.concat(written)))
  await opened.close()
})

t.test('a file that cannot be made is a failure of the recording', async (t) => {
  const { sealedPath, make } = await recording(t)
  mkdirSync(sealedPath)
  const sink = make()
  sink.write(pages(1)[0] ?? Buffer.alloc(2))
  const facts = await sink.finish()
  t.match(sink.failure, { code: 'write_failed' })
  t.equal(facts.bytes, 0)
})
