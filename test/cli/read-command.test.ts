import t from 'tap'
import { readCommand } from '../../cli/read-command.ts'
import { VERBS } from '../../cli/verbs.ts'

const read = (line: string) => readCommand(line.split(' ').filter(Boolean), VERBS)

t.test('a verb takes its options and words', async (t) => {
  const command = await read('recordings get 01 -o call.opus --format wav')
  t.equal(command.kind === 'run' && command.verb.name, 'recordings get')
  t.strictSame(command.kind === 'run' && command.given, {
    options: { output: 'call.opus', format: 'wav' },
    words: ['01'],
  })
})

t.test('the longer of two verbs is meant', async (t) => {
  const short = await read('recordings --json')
  const long = await read('recordings show 01')
  t.equal(short.kind === 'run' && short.verb.name, 'recordings')
  t.equal(long.kind === 'run' && long.verb.name, 'recordings show')
})

t.test('help is asked for in several ways, and asks for nothing else', async (t) => {
  for (const line of ['', '--help', '-h', 'help'])
    t.strictSame(await read(line), { kind: 'help', verb: undefined })
  for (const line of ['up --help', 'up --data x -h', 'help up', 'up --nonsense --help']) {
    const command = await read(line)
    t.equal(command.kind === 'help' && command.verb?.name, 'up', line)
  }
  t.strictSame(await read('--version'), { kind: 'version' })
})

const mistakes = [
  ['upp', 'unknown_verb', 'No verb upp: did you mean up?'],
  ['zzzzzz', 'unknown_verb', 'No verb zzzzzz: tallenne --help lists them.'],
  ['config', 'unknown_verb', 'config alone does nothing: it takes check or show.'],
  ['config chekc', 'unknown_verb', 'No verb config chekc: did you mean config check?'],
  ['up --sipp x', 'unknown_option', 'up has no option --sipp: did you mean --sip?'],
  [
    'demo --zzzzzzzz',
    'unknown_option',
    'demo has no option --zzzzzzzz: tallenne demo --help lists them.',
  ],
  ['up --data', 'option_value', '--data needs a value after it.'],
  ['up --data --sip 1:2', 'option_value', '--data needs a value after it.'],
  ['demo --once=yes', 'option_value', '--once takes no value.'],
  ['up now', 'unexpected_word', 'up does not take now.'],
  ['recordings show', 'missing_word', 'recordings show needs ID after it.'],
] as const

for (const [line, code, message] of mistakes) {
  t.test(`"${line}" is told: ${message}`, async (t) => {
    await t.rejects(read(line), { code, message })
  })
}

t.test('every verb tells of its own options', async (t) => {
  for (const [name, load] of VERBS) {
    const verb = await load()
    t.equal(verb.name, name)
    t.ok(verb.help.startsWith(`Usage: tallenne ${verb.name}`), verb.name)
    t.notOk(
      verb.help.split('\n').some((line) => line.length > 100),
      verb.name,
    )
    if (verb.name === 'needs-private-database') continue
    for (const option of Object.keys(verb.options)) t.ok(verb.help.includes(`--${option}`), option)
  }
})
