import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { Turns } from '../../base/turns.ts'
import { newId } from '../../base/uuid.ts'
import { DirectDisk } from '../../storage/disk/direct-disk.ts'
import { writeAgeFile } from '../../storage/encryption/age-file.ts'
import { wrapNewKey } from '../../storage/encryption/age-header.ts'
import { SealedRecording } from '../../storage/encryption/sealed-recording.ts'
import { repairSealed } from '../../storage/encryption/sealed-repair.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import { audioOf, makeKey } from '../storage/encryption/keys.ts'
import { wholeCall } from '../storage/journal-entries.ts'
import { startTestPortal } from './portal.ts'

const folder = mkdtempSync(join(tmpdir(), 'tallenne-keys-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const key = await makeKey(folder)
const other = await makeKey(folder, 'other.txt')
const portal = await startTestPortal({ identities: key.identities })
t.teardown(() => portal.close())

const CHUNK = 65_536
const audio = audioOf(3 * CHUNK + 1000)
const audioSha256 = createHash('sha256').update(audio).digest('hex')

/** A call whose recording is an age file for this recipient. */
async function addEncrypted(recipient: string) {
  const recordingId = newId()
  const file = storeFileOf(recordingId, 'age')
  const path = join(portal.storePath, file)
  mkdirSync(dirname(path), { recursive: true })
  async function* once() {
    yield audio
  }
  const { bytes, sha256 } = await writeAgeFile(path, {
    disk: new DirectDisk(),
    wrapped: await wrapNewKey([recipient]),
    audio: once(),
  })
  const encryption = {
    form: 'age',
    keySet: key.recipients.keySet,
    audioBytes: audio.length,
    audioSha256,
  } as const
  await portal.apply(wholeCall({}, { recordingId, file, bytes, sha256, encryption }).entries)
  return { recordingId, path, file, url: `/api/recordings/${recordingId}/audio` }
}

async function failuresFor(reason: string): Promise<number> {
  return (await portal.metric(`tallenne_portal_audio_failures_total{reason="${reason}"}`)) ?? 0
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 0x01
  writeFileSync(path, bytes)
}

t.test(
  'an encrypted recording is served as its audio, with the audio’s length and tag',
  async (t) => {
    const { url, recordingId } = await addEncrypted(key.recipient)
    const response = await portal.ask(url)
    t.equal(response.status, 200)
    t.match(Object.fromEntries(response.headers), {
      'content-length': String(audio.length),
      etag: `"${audioSha256}"`,
      'content-disposition': `inline; filename="${recordingId}.opus"`,
    })
    t.ok(Buffer.from(await response.arrayBuffer()).equals(audio))
    const details = await (await portal.ask(`/api/recordings/${recordingId}`)).json()
    t.match(details, {
      recording: { bytes: audio.length, sha256: audioSha256 },
      stored: { encryption: 'age', keySet: key.recipients.keySet },
    })
  },
)

t.test('a range across chunks is that of the audio', async (t) => {
  const { url } = await addEncrypted(key.recipient)
  const range = `bytes=${CHUNK - 3}-${2 * CHUNK + 3}`
  const response = await portal.ask(url, { headers: { range } })
  t.equal(response.status, 206)
  t.equal(
    response.headers.get('content-range'),
    `bytes ${CHUNK - 3}-${2 * CHUNK + 3}/${audio.length}`,
  )
  const body = Buffer.from(await response.arrayBuffer())
  t.ok(body.equals(audio.subarray(CHUNK - 3, 2 * CHUNK + 4)))
})

t.test('what a crash left sealed is served as well, without a tag', async (t) => {
  const recordingId = newId()
  const file = storeFileOf(recordingId, 'sealed')
  const path = join(portal.storePath, file)
  mkdirSync(dirname(path), { recursive: true })
  const sink = new SealedRecording({
    recipients: key.recipients,
    sealedPath: path,
    agePath: join(folder, 'not-kept'),
    positionOf: () => 0,
    disk: new DirectDisk(),
    turns: new Turns(1),
    onStayedSealed: () => {},
  })
  for (let at = 0; at < audio.length; at += 3000) sink.write(audio.subarray(at, at + 3000))
  await sink.finish()
  const { bytes, sha256, audioBytes, keySet } = await repairSealed(path)
  const encryption = { form: 'sealed', keySet, audioBytes, audioSha256: null } as const
  await portal.apply(wholeCall({}, { recordingId, file, bytes, sha256, encryption }).entries)
  const response = await portal.ask(`/api/recordings/${recordingId}/audio`)
  t.equal(response.headers.get('content-length'), String(audio.length))
  t.equal(response.headers.get('etag'), null)
  t.ok(Buffer.from(await response.arrayBuffer()).equals(audio))
})

t.test('a recording for others’ identities is 500 identity_wrong, and counted', async (t) => {
  const before = await failuresFor('identity_wrong')
  const { url } = await addEncrypted(other.recipient)
  const response = await portal.ask(url)
  t.equal(response.status, 500)
  t.match(await response.json(), { code: 'identity_wrong', detail: /other recipients/ })
  t.equal(response.headers.get('content-disposition'), null)
  t.equal(await failuresFor('identity_wrong'), before + 1)
})

t.test('a flipped bit is 500 file_damaged, also in the part that holds the key', async (t) => {
  for (const at of [0, 21, 80, 130, 400]) {
    const before = await failuresFor('file_damaged')
    const { url, path } = await addEncrypted(key.recipient)
    flip(path, at)
    const response = await portal.ask(url)
    t.equal(response.status, 500, `byte ${at}`)
    t.match(await response.json(), { code: 'file_damaged' })
    t.equal(await failuresFor('file_damaged'), before + 1)
  }
})

t.test('what was put in the place of an encrypted recording is never played', async (t) => {
  for (const content of [Buffer.from('OggS, in the clear'), Buffer.alloc(0)]) {
    const { url, path } = await addEncrypted(key.recipient)
    writeFileSync(path, content)
    const response = await portal.ask(url)
    t.equal(response.status, 500, `${content.length} bytes`)
    t.match(await response.json(), { code: 'file_damaged' })
  }
})

t.test('a flipped bit further on cuts the answer off, and is counted', async (t) => {
  const before = await failuresFor('file_damaged')
  const { url, path } = await addEncrypted(key.recipient)
  flip(path, 2 * CHUNK + 500)
  const response = await portal.ask(url)
  t.equal(response.status, 200)
  await t.rejects(response.arrayBuffer())
  t.equal(await failuresFor('file_damaged'), before + 1)
  const early = await portal.ask(url, { headers: { range: 'bytes=0-999' } })
  t.ok(Buffer.from(await early.arrayBuffer()).equals(audio.subarray(0, 1000)))
})

t.test('a file that was replaced since its row was read is found again', async (t) => {
  const { url, recordingId, path, file } = await addEncrypted(key.recipient)
  const replaced = storeFileOf(recordingId, 'age', 2)
  renameSync(path, join(portal.storePath, replaced))
  const missing = await portal.ask(url)
  t.match(await missing.json(), { code: 'file_missing' })
  await portal.pool.query('UPDATE recordings SET file = ? WHERE id = ?', [replaced, recordingId])
  t.not(replaced, file)
  t.equal((await portal.ask(url)).status, 200)
})

t.test('a portal without identities says what it lacks', async (t) => {
  const bare = await startTestPortal()
  t.teardown(() => bare.close())
  const recordingId = newId()
  const file = storeFileOf(recordingId, 'age')
  const path = join(bare.storePath, file)
  mkdirSync(dirname(path), { recursive: true })
  async function* once() {
    yield audio
  }
  await writeAgeFile(path, {
    disk: new DirectDisk(),
    wrapped: await wrapNewKey([key.recipient]),
    audio: once(),
  })
  await bare.apply(wholeCall({}, { recordingId, file }).entries)
  const response = await bare.ask(`/api/recordings/${recordingId}/audio`)
  t.equal(response.status, 500)
  t.match(await response.json(), { code: 'identity_missing' })
})
