import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { RecipientWatch, readRecipients } from '../../../storage/encryption/recipients.ts'
import { makeKey } from './keys.ts'

t.test(
  'recipients of the configuration and of the file are one set, whatever their order',
  async (t) => {
    const folder = t.testdir()
    const [a, b] = [(await makeKey(folder, 'a')).recipient, (await makeKey(folder, 'b')).recipient]
    const recipientsFile = join(folder, 'recipients.txt')
    writeFileSync(recipientsFile, `# ours\n${b}\r\n\n${a}\n`)
    const both = readRecipients({ recipients: [a], recipientsFile })
    t.same(both.list, [a, b].sort())
    t.equal(both.keySet, readRecipients({ recipients: [b, a] }).keySet)
    t.not(both.keySet, readRecipients({ recipients: [a] }).keySet)
    t.match(both.keySet, /^[0-9a-f]{16}$/)
  },
)

t.test('what cannot be taken says where it stands', async (t) => {
  const folder = t.testdir()
  const { recipient } = await makeKey(folder)
  const mistyped = recipient.endsWith('q')
    ? `${recipient.slice(0, -1)}p`
    : `${recipient.slice(0, -1)}q`
  const recipientsFile = join(folder, 'recipients.txt')
  const read = (text: string) => {
    writeFileSync(recipientsFile, text)
    return () => readRecipients({ recipients: [], recipientsFile })
  }
  t.throws(read(`${recipient}\n${mistyped}\n`), { code: 'recipient_malformed', message: /Line 2/ })
  t.throws(read('ssh-ed25519 AAAA\n'), { code: 'recipient_malformed', message: /Line 1/ })
  t.throws(read('# none\n'), { code: 'recipients_missing' })
  t.throws(() => readRecipients({ recipients: [mistyped] }), { code: 'recipient_malformed' })
  t.throws(() => readRecipients({ recipients: [], recipientsFile: join(folder, 'gone') }), {
    code: 'recipients_unreadable',
  })
})

t.test('a file that is too long for recipients is refused, not cut', async (t) => {
  const folder = t.testdir()
  const { recipient } = await makeKey(folder)
  const recipientsFile = join(folder, 'recipients.txt')
  const settings = { recipients: [recipient], recipientsFile }
  // Fewer characters than bytes.
  writeFileSync(recipientsFile, `# ${'ä'.repeat(32_767)}`)
  t.same(readRecipients(settings).list, [recipient])
  writeFileSync(recipientsFile, `# ${'ä'.repeat(32_768)}`)
  for (const long of [recipientsFile, '/dev/zero']) {
    t.throws(() => readRecipients({ ...settings, recipientsFile: long }), {
      code: 'recipients_unreadable',
      message: `${long} holds more than 65536 bytes`,
    })
  }
})

t.test('a file that changes is read again, and one that breaks changes nothing', async (t) => {
  const folder = t.testdir()
  const [a, b] = [(await makeKey(folder, 'a')).recipient, (await makeKey(folder, 'b')).recipient]
  const recipientsFile = join(folder, 'recipients.txt')
  writeFileSync(recipientsFile, `${a}\n`)
  const settings = { recipients: [], recipientsFile }
  const problems: string[] = []
  const watch = new RecipientWatch({
    settings,
    atStart: readRecipients(settings),
    onProblem: (reason) => problems.push(reason),
  })
  t.same(watch.current.list, [a])
  writeFileSync(recipientsFile, `${a}\n${b}\n`)
  t.same(watch.current.list, [a, b].sort())
  writeFileSync(recipientsFile, 'nonsense\n')
  t.same(watch.current.list, [a, b].sort())
  t.same(watch.current.list, [a, b].sort())
  rmSync(recipientsFile)
  t.same(watch.current.list, [a, b].sort())
  t.match(problems, [/Line 1/, /cannot be read/])
  t.equal(problems.length, 2)
})
