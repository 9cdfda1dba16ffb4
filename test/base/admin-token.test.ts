import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ensureAdminToken, isSameToken, readAdminToken } from '../../base/admin-token.ts'

t.test('a token of 256 bits is made where none is, for its owner alone', async (t) => {
  const path = join(t.testdir(), 'data', 'admin.token')
  const token = await ensureAdminToken(path)
  t.match(token, /^[A-Za-z0-9_-]{43}$/)
  t.equal(Buffer.from(token, 'base64url').length, 32)
  t.equal(readFileSync(path, 'utf8'), `${token}\n`)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(join(path, '..')).mode & 0o777, 0o700)
  t.equal(await readAdminToken(path), token)
})

t.test(
  'processes that start at once agree on one token and leave nothing else behind',
  async (t) => {
    const folder = t.testdir()
    const path = join(folder, 'admin.token')
    const tokens = await Promise.all(Array.from({ length: 20 }, () => ensureAdminToken(path)))
    t.equal(new Set(tokens).size, 1)
    t.equal(await ensureAdminToken(path), tokens[0])
    t.same(readdirSync(folder), ['admin.token'])
  },
)

t.test('a token that others may read is refused, and says what to do', async (t) => {
  const path = join(t.testdir(), 'admin.token')
  const token = await ensureAdminToken(path)
  for (const mode of [0o640, 0o604, 0o660, 0o666]) {
    chmodSync(path, mode)
    const refused = {
      code: 'token_exposed',
      message: new RegExp(`mode 0${mode.toString(8)}.*chmod 600`),
    }
    await t.rejects(readAdminToken(path), refused)
    await t.rejects(ensureAdminToken(path), refused)
  }
  chmodSync(path, 0o400)
  t.equal(await readAdminToken(path), token)
})

t.test('a file that holds no token is refused, without its content in the message', async (t) => {
  const path = join(t.testdir(), 'admin.token')
  for (const text of [
    '',
    '\n',
    'short',
    `${'x'.repeat(43)} ${'y'.repeat(43)}`,
    `${'x'.repeat(42)}é`,
  ]) {
    writeFileSync(path, text, { mode: 0o600 })
    const error = await readAdminToken(path).catch((thrown: unknown) => thrown)
    t.match(error, { code: 'token_malformed' })
    if (text.trim()) t.notMatch((error as Error).message, text)
  }
})

t.test(
  'a token that is not there, and a folder that cannot be written, are told as such',
  async (t) => {
    const folder = t.testdir({ file: '' })
    await t.rejects(readAdminToken(join(folder, 'admin.token')), { code: 'token_missing' })
    await t.rejects(ensureAdminToken(join(folder, 'file', 'admin.token')), {
      code: 'token_unwritable',
    })
  },
)

t.test('only the same token is the same', (t) => {
  t.equal(isSameToken('abc', 'abc'), true)
  for (const other of ['', 'ab', 'abcd', 'abd', 'ABC']) t.equal(isSameToken(other, 'abc'), false)
  t.end()
})
