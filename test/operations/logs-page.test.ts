import { readFileSync } from 'node:fs'
import t from 'tap'
import { findLogCalls } from './log-calls.ts'

const PAGE = readFileSync(new URL('../../../docs/logs.md', import.meta.url), 'utf8')

t.test('docs/logs.md has every event that is logged, and no other', async (t) => {
  const logged = new Map<string, Set<string>>()
  for (const { message, level } of findLogCalls()) {
    logged.set(message, (logged.get(message) ?? new Set()).add(level))
  }
  t.ok(logged.size > 100)
  const events = PAGE.split('## All events')[1] ?? ''
  const described = new Map(
    [...events.matchAll(/^\| `([^`]+)` +\| ([a-z, ]+?) +\|/gm)].map(
      ([, message = '', levels = '']) => [message, levels],
    ),
  )
  t.strictSame([...described.keys()].toSorted(), [...logged.keys()].toSorted())
  for (const [message, levels] of logged) {
    t.equal(described.get(message), [...levels].toSorted().join(', '), message)
  }
})

t.test('every field of the line of a call’s end is described', async (t) => {
  const source = readFileSync(
    new URL('../../../gateway/calls/report-ended-call.ts', import.meta.url),
    'utf8',
  )
  const fields = [...source.matchAll(/^ {4,6}([a-zA-Z]+)(?:: .+)?,$/gm)].map(
    ([, name = '']) => name,
  )
  t.ok(fields.length > 20)
  for (const field of fields) t.match(PAGE, `\`${field}\``, field)
})
