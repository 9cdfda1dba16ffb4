import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { Turns } from '../../../base/turns.ts'
import { newId } from '../../../base/uuid.ts'
import { readIdentities } from '../../../storage/encryption/identities.ts'
import { reencrypt } from '../../../storage/encryption/reencrypt.ts'
import {
  type ReencryptionProgress,
  runReencryption,
} from '../../../storage/encryption/reencryption-run.ts'
import { SealedRecording } from '../../../storage/encryption/sealed-recording.ts'
import { repairSealed } from '../../../storage/encryption/sealed-repair.ts'
import { storeFileOf } from '../../../storage/store-file.ts'
import { sha256 } from '../../sha256.ts'
import { startEncryptedStore } from './encrypted-store.ts'
import { audioOf, makeKey, openWithAge } from './keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'tallenne-reencrypt-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const from = await startEncryptedStore(folder)
t.teardown(() => from.close())
const { pool, store, disk } = from
const former = await makeKey(folder, 'former.txt')
const present = await makeKey(folder, 'present.txt')
const strange = await makeKey(folder, 'strange.txt')
const bothPath = join(folder, 'both.txt')
writeFileSync(bothPath, `${former.identity}\n${present.identity}\n`, { mode: 0o600 })
const options = {
  database: pool,
  pool,
  store,
  disk,
  recipients: present.recipients,
  identities: await readIdentities(bothPath),
  endPage: () => {},
  filter: {},
  onProgress: () => {},
}

t.beforeEach(() => pool.query("UPDATE recordings SET state = 'deleted'"))

t.test('a file in the clear becomes an age file that the age program opens', async (t) => {
  const audio = audioOf(100_000)
  const id = await from.addPlain(audio)
  const before = await from.row(id)
  t.equal(await reencrypt(before, options), 'reencrypted')
  const after = await from.row(id)
  const path = store.pathOf(after.file)
  t.equal(after.file, storeFileOf(id, 'age'))
  t.ok(openWithAge(path, present.path).equals(audio))
  t.notOk(existsSync(store.pathOf(before.file)))
  const file = readFileSync(path)
  t.match(after, {
    bytes: file.length,
    sha256: sha256(file),
    encryption: 'age',
    keySet: present.recipients.keySet,
    audioBytes: audio.length,
    audioSha256: sha256(audio),
  })
})

t.test(
  'a file for a former recipient is opened by the present one alone, with a new key',
  async (t) => {
    const audio = audioOf(70_000)
    const id = await from.addAge(audio, former.recipients)
    await reencrypt(await from.row(id), options)
    const { file } = await from.row(id)
    t.equal(file, storeFileOf(id, 'age', 2))
    t.ok(openWithAge(store.pathOf(file), present.path).equals(audio))
    t.throws(() => openWithAge(store.pathOf(file), former.path), /no identity matched/)
    t.same(
      readdirSync(dirname(store.pathOf(file))).filter((name) => name.includes(id)),
      [`${id}.2.opus.age`],
    )
  },
)

t.test('what a crash left sealed becomes an age file whose last page is marked', async (t) => {
  const id = newId()
  const file = storeFileOf(id, 'sealed')
  const sink = new SealedRecording({
    recipients: present.recipients,
    sealedPath: store.pathOf(file),
    agePath: join(folder, 'not-kept'),
    positionOf: () => 0,
    disk,
    turns: new Turns(1),
    onStayedSealed: () => {},
  })
  const pages = [audioOf(500), audioOf(600), audioOf(700)]
  for (const page of pages) sink.write(page)
  await sink.finish()
  const { bytes, sha256: digest, audioBytes, keySet } = await repairSealed(store.pathOf(file))
  const encryption = { form: 'sealed', keySet, audioBytes, audioSha256: null } as const
  await from.addRow(id, { file, bytes, sha256: digest, encryption })
  await reencrypt(await from.row(id), {
    ...options,
    endPage: (page) => {
      page[0] = 255
    },
  })
  const after = await from.row(id)
  const audio = openWithAge(store.pathOf(after.file), present.path)
  const expected = Buffer.concat(pages)
  expected[1100] = 255
  t.ok(audio.equals(expected))
  t.match(after, { encryption: 'age', audioSha256: sha256(expected) })
})

t.test('a file that is not what was recorded stands as it is', async (t) => {
  const id = await from.addPlain(audioOf(1000))
  const before = await from.row(id)
  writeFileSync(store.pathOf(before.file), audioOf(999))
  await t.rejects(reencrypt(before, options), { code: 'file_damaged' })
  t.same(await from.row(id), before)
  t.same(
    readdirSync(dirname(store.pathOf(before.file))).filter((name) => name.includes(id)),
    [`${id}.opus`],
  )
})

t.test('a recording that is deleted meanwhile leaves nothing', async (t) => {
  const id = await from.addPlain(audioOf(1000))
  const before = await from.row(id)
  await pool.query("UPDATE recordings SET state = 'deleting' WHERE id = ?", [id])
  t.equal(await reencrypt(before, options), 'gone')
  t.notOk(existsSync(store.pathOf(storeFileOf(id, 'age'))))
  t.notOk(existsSync(`${store.pathOf(storeFileOf(id, 'age'))}.part`))
})

t.test(
  'a recording that is deleted while it is written anew is gone, and no failure',
  async (t) => {
    const id = await from.addPlain(audioOf(1000))
    const before = await from.row(id)
    await pool.query("UPDATE recordings SET state = 'deleting' WHERE id = ?", [id])
    await store.erase(before.file)
    t.equal(await reencrypt(before, options), 'gone')
  },
)

t.test('what an ended run left over does not hold up the next', async (t) => {
  const audio = audioOf(1000)
  const id = await from.addPlain(audio)
  const path = store.pathOf(storeFileOf(id, 'age'))
  writeFileSync(path, 'left over')
  writeFileSync(`${path}.part`, 'left over')
  t.equal(await reencrypt(await from.row(id), options), 'reencrypted')
  t.ok(openWithAge(path, present.path).equals(audio))
})

t.test(
  'a run takes what is not as it should be, tells of what it cannot, and goes on later',
  async (t) => {
    const done = await from.addAge(audioOf(10), present.recipients)
    const plain = await Promise.all(Array.from({ length: 6 }, () => from.addPlain(audioOf(2000))))
    const lost = await from.addAge(audioOf(10), strange.recipients)
    const gone = await from.addPlain(audioOf(10))
    rmSync(store.pathOf((await from.row(gone)).file))

    const stop = new AbortController()
    const first = await runReencryption({
      ...options,
      signal: stop.signal,
      onProgress: ({ reencrypted }) => {
        if (reencrypted === 2) stop.abort()
      },
    })
    t.equal(first.kind, 'done')
    const left = await Promise.all(plain.map((id) => from.row(id)))
    t.ok(left.some(({ encryption }) => encryption === 'none'))
    t.ok(left.some(({ encryption }) => encryption === 'age'))

    const shown: ReencryptionProgress[] = []
    const second = await runReencryption({
      ...options,
      onProgress: (progress) => shown.push(progress),
    })
    t.match(second, {
      kind: 'done',
      result: {
        failed: [
          { code: /^(identity_wrong|file_missing)$/ },
          { code: /^(identity_wrong|file_missing)$/ },
        ],
      },
    })
    for (const id of plain) t.match(await from.row(id), { encryption: 'age' })
    t.match(await from.row(lost), { encryption: 'age', keySet: strange.recipients.keySet })
    t.equal((await from.row(done)).file, storeFileOf(done, 'age'))
    t.equal(shown.at(0)?.reencrypted, 0)
    t.equal(shown.at(-1)?.failed.length, 2)
    t.same(await runReencryption({ ...options, filter: { ids: plain } }), {
      kind: 'done',
      result: { total: 0, reencrypted: 0, gone: 0, failed: [] },
    })
  },
)

t.test('two runs at once are one', async (t) => {
  const connection = await pool.getConnection()
  await connection.query("SELECT GET_LOCK('tallenne.reencrypt', 0)")
  t.same(await runReencryption(options), { kind: 'busy' })
  await connection.query("SELECT RELEASE_LOCK('tallenne.reencrypt')")
  await connection.release()
})
