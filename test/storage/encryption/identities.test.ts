import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { readIdentities } from '../../../storage/encryption/identities.ts'
import { makeKey } from './keys.ts'

t.test('a file of several identities opens what is for any of them', async (t) => {
  const folder = t.testdir()
  const [first, second] = [await makeKey(folder, 'a'), await makeKey(folder, 'b')]
  const path = join(folder, 'both')
  writeFileSync(path, `# two\n\n${first.identity}\r\n  ${second.identity}\n`, { mode: 0o600 })
  const identities = await readIdentities(path)
  t.same(await identities.recipients(), [first.recipient, second.recipient])
})

t.test('a file that others may read is refused', async (t) => {
  const folder = t.testdir()
  const { path, identity } = await makeKey(folder)
  for (const mode of [0o640, 0o604, 0o644, 0o620]) {
    chmodSync(path, mode)
    const refused = await readIdentities(path).catch((error: Error) => error)
    t.match(refused, { code: 'identity_exposed' })
    t.notOk(inspect(refused).includes(identity))
  }
  chmodSync(path, 0o400)
  await t.resolves(readIdentities(path))
})

t.test('a line that is no identity is named, and not shown', async (t) => {
  const folder = t.testdir()
  const { identity } = await makeKey(folder)
  const path = join(folder, 'wrong')
  const mistyped = identity.endsWith('Q')
    ? `${identity.slice(0, -1)}P`
    : `${identity.slice(0, -1)}Q`
  for (const line of [mistyped, identity.toLowerCase(), 'age1qqq', 'AGE-SECRET-KEY-PQ-1QQQ']) {
    writeFileSync(path, `# comment\n${line}\n`, { mode: 0o600 })
    const refused = await readIdentities(path).catch((error: Error) => error)
    t.match(refused, { code: 'identity_malformed', message: /Line 2/ })
    t.notOk(inspect(refused).includes(line))
  }
})

t.test('a file that is too long for identities is refused, not cut', async (t) => {
  const folder = t.testdir()
  const { identity } = await makeKey(folder)
  const path = join(folder, 'long')
  writeFileSync(path, `${identity}\n${'#'.repeat(65_536)}`, { mode: 0o600 })
  await t.rejects(readIdentities(path), {
    code: 'identity_unreadable',
    message: `${path} cannot be read (it holds more than 65536 bytes)`,
  })
})

t.test('a file that is empty or not there says so', async (t) => {
  const path = join(t.testdir(), 'empty')
  await t.rejects(readIdentities(path), { code: 'identity_unreadable' })
  writeFileSync(path, '# nothing\n', { mode: 0o600 })
  await t.rejects(readIdentities(path), { code: 'identity_malformed', message: /no identity/ })
})

t.test('identities do not show themselves', async (t) => {
  const { identities, identity } = await makeKey(t.testdir())
  t.notOk(inspect(identities, { depth: 5, showHidden: true }).includes(identity))
  t.notOk(JSON.stringify(identities).includes(identity))
})
