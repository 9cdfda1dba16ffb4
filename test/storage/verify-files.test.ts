import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { verifyFiles } from '../../storage/verify-files.ts'
import { startEncryptedStore } from './encryption/encrypted-store.ts'
import { audioOf, makeKey } from './encryption/keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'tallenne-verify-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const from = await startEncryptedStore(folder)
t.teardown(() => from.close())
const { pool, store } = from
const key = await makeKey(folder)
const other = await makeKey(folder, 'other.txt')
const options = {
  ...{ pool, store, filter: {}, onProgress: () => {} },
  ...{ opensAudio: false, identities: undefined },
}

t.beforeEach(() => pool.query("UPDATE recordings SET state = 'deleted'"))

async function pathOf(id: string): Promise<string> {
  return store.pathOf((await from.row(id)).file)
}

t.test('files that are as their rows say are whole, encrypted or not, without a key', async (t) => {
  await from.addPlain(audioOf(1000))
  await from.addAge(audioOf(100_000), key.recipients)
  const shown: (readonly [number, number])[] = []
  const found = await verifyFiles({
    ...options,
    onProgress: (checked, total) => shown.push([checked, total]),
  })
  t.same(found, { checked: 2, whole: 2, unproven: 0, faults: [], isComplete: true })
  t.same(shown, [
    [0, 2],
    [1, 2],
    [2, 2],
  ])
})

t.test('a flipped bit, a cut, and a missing file are told apart', async (t) => {
  const [flipped, cut, missing] = [
    await from.addAge(audioOf(5000), key.recipients),
    await from.addPlain(audioOf(1000)),
    await from.addPlain(audioOf(1000)),
  ]
  const bytes = readFileSync(await pathOf(flipped))
  bytes[300] = (bytes[300] ?? 0) ^ 0x01
  writeFileSync(await pathOf(flipped), bytes)
  truncateSync(await pathOf(cut), 999)
  rmSync(await pathOf(missing))
  const { faults, whole } = await verifyFiles(options)
  t.equal(whole, 0)
  t.match(faults, [
    { recordingId: flipped, code: 'file_changed', message: /SHA-256/ },
    { recordingId: cut, code: 'file_changed', message: /999 bytes instead of 1000/ },
    { recordingId: missing, code: 'file_missing' },
  ])
})

t.test('with identities the audio is verified as well', async (t) => {
  const wrong = await from.addAge(audioOf(5000), other.recipients)
  const right = await from.addAge(audioOf(5000), key.recipients)
  const audio = { ...options, opensAudio: true, identities: key.identities }
  t.match(await verifyFiles(audio), {
    whole: 1,
    faults: [{ recordingId: wrong, code: 'identity_wrong' }],
  })
  await pool.query('UPDATE recordings SET audio_sha256 = ? WHERE id = ?', ['0'.repeat(64), right])
  t.match(await verifyFiles({ ...audio, filter: { ids: [right] } }), {
    faults: [{ recordingId: right, code: 'file_changed', message: /audio/ }],
  })
})

t.test('audio that cannot be opened for want of identities is not called whole', async (t) => {
  await from.addPlain(audioOf(1000))
  const id = await from.addAge(audioOf(5000), key.recipients)
  t.match(await verifyFiles({ ...options, opensAudio: true }), {
    whole: 1,
    faults: [{ recordingId: id, code: 'identity_missing' }],
  })
})

t.test('a file of which nothing is known proves nothing', async (t) => {
  const id = await from.addPlain(audioOf(1000))
  await pool.query('UPDATE recordings SET sha256 = NULL WHERE id = ?', [id])
  t.match(await verifyFiles(options), { checked: 1, whole: 0, unproven: 1, faults: [] })
})

t.test('filters and an early end leave the rest unread', async (t) => {
  const id = await from.addPlain(audioOf(10))
  await from.addPlain(audioOf(10))
  t.match(await verifyFiles({ ...options, filter: { ids: [id] } }), { checked: 1 })
  t.match(await verifyFiles({ ...options, filter: { serviceLine: 'other' } }), { checked: 0 })
  t.match(await verifyFiles({ ...options, filter: { toMs: 0 } }), { checked: 0 })
  t.match(await verifyFiles({ ...options, signal: AbortSignal.abort() }), {
    checked: 0,
    isComplete: false,
  })
})
