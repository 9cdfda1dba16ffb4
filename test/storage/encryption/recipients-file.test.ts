import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readIdentities } from '../../../storage/encryption/identities.ts'
import { makeIdentity } from '../../../storage/encryption/new-identity.ts'
import { readRecipients } from '../../../storage/encryption/recipients.ts'
import {
  addToRecipients,
  retireFromRecipients,
} from '../../../storage/encryption/recipients-file.ts'
import { makeKey } from './keys.ts'

t.test('recipients are added under a comment and retired into one', async (t) => {
  const folder = t.testdir()
  const [a, b] = [(await makeKey(folder, 'a')).recipient, (await makeKey(folder, 'b')).recipient]
  const recipientsFile = join(folder, 'recipients.txt')
  const list = () => readRecipients({ recipients: [], recipientsFile }).list

  t.equal(await addToRecipients(recipientsFile, a, 'the portal'), true)
  t.equal(statSync(recipientsFile).mode & 0o777, 0o644)
  t.equal(await addToRecipients(recipientsFile, a, 'again'), false)
  writeFileSync(recipientsFile, readFileSync(recipientsFile, 'utf8').trimEnd())
  t.equal(await addToRecipients(recipientsFile, b, 'in the safe'), true)
  t.same(list(), [a, b].sort())
  t.equal(readFileSync(recipientsFile, 'utf8'), `# the portal\n${a}\n# in the safe\n${b}\n`)

  t.equal(await retireFromRecipients(recipientsFile, a, 'retired 2026-11-26'), true)
  t.equal(await retireFromRecipients(recipientsFile, a, 'again'), false)
  t.same(list(), [b])
  t.equal(
    readFileSync(recipientsFile, 'utf8'),
    `# the portal\n# retired 2026-11-26: ${a}\n# in the safe\n${b}\n`,
  )
  t.same(readdirSync(folder).sort(), ['a', 'b', 'recipients.txt'])
})

t.test('a folder that is not there is told of', async (t) => {
  const path = join(t.testdir(), 'missing', 'recipients.txt')
  await t.rejects(addToRecipients(path, 'age1', ''), { code: 'recipients_unwritable' })
})

t.test('a new identity is readable by its owner alone, and written over by nobody', async (t) => {
  const path = join(t.testdir(), 'identity.txt')
  const recipient = await makeIdentity(path, new Date(Date.UTC(2026, 10, 26)))
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.match(readFileSync(path, 'utf8'), /^# created: 2026-11-26T00:00:00Z\n# public key: age1/)
  t.same(await (await readIdentities(path)).recipients(), [recipient])
  await t.rejects(makeIdentity(path, new Date()), {
    code: 'identity_unwritable',
    message: /not written over/,
  })
})
