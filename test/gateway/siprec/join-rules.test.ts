import { readFileSync } from 'node:fs'
import t from 'tap'
import { createJoining, joinKeys } from '../../../gateway/siprec/join-rules.ts'

const joining = createJoining({ afterEndS: 10 })
const reference = (kind: Parameters<typeof joinKeys>[0][number]['kind'], value: string) => ({
  kind,
  value,
  isGuess: false,
})

t.test('sessions that share a reference share a key', async (t) => {
  t.strictSame(joinKeys([reference('ucid', '0001183F5093914D')], joining), [
    { key: 'ucid:0001183F5093914D', afterEndMs: 10_000 },
  ])
})

t.test('one participant alone names no call, two together do while it goes on', async (t) => {
  const people = ['b', 'a', 'c'].map((value) => ({
    ...reference('rfc7865-participant', value),
    isGuess: true,
  }))
  t.strictSame(joinKeys(people.slice(0, 1), joining), [])
  t.strictSame(joinKeys(people, joining), [
    { key: 'rfc7865-participant:a+b', afterEndMs: 0 },
    { key: 'rfc7865-participant:a+c', afterEndMs: 0 },
    { key: 'rfc7865-participant:b+c', afterEndMs: 0 },
  ])
})

t.test('a guess joins nothing, nor does what each SBC counts for itself', async (t) => {
  const guess = { ...reference('session-id', 'a'.repeat(32)), isGuess: true }
  t.strictSame(joinKeys([guess, reference('ribbon-gcid', '241205267')], joining), [])
  const chosen = createJoining({ by: ['ribbon-gcid'], afterEndS: 0 })
  t.strictSame(joinKeys([reference('ribbon-gcid', '241205267')], chosen), [
    { key: 'ribbon-gcid:241205267', afterEndMs: 0 },
  ])
})

t.test('keys are few, short and printable, whatever a message names', async (t) => {
  const many = Array.from({ length: 100 }, (_, at) =>
    reference('call-id', `${at} é${'x'.repeat(300)}`),
  )
  const keys = joinKeys(many, joining)
  t.equal(keys.length, 16)
  t.ok(keys.every(({ key }) => /^[!-~]{1,255}$/.test(key)))
})

t.test('a kind that does not exist is refused with those that do', async (t) => {
  t.throws(() => createJoining({ by: ['uuid'], afterEndS: 10 }), {
    code: 'unknown_reference',
    message: /joining\.by\[0\]: 'uuid' is no kind of reference; expected one of cucm-call, /,
  })
})

t.test('the guide lists every kind, and which are used by default', async (t) => {
  const guide = readFileSync(new URL('../../../../docs/identification.md', import.meta.url), 'utf8')
  const rows = [...guide.matchAll(/^\| [^`|]+ +\| `([a-z0-9-]+)` +\| [^|]+ \| [a-z ]+ \| (yes)?/gm)]
  t.strictSame(
    rows.filter(([, , isDefault]) => isDefault === 'yes').map(([, kind]) => kind),
    joining.rules.map(({ kind }) => kind),
  )
  t.doesNotThrow(() => createJoining({ by: rows.map(([, kind = '']) => kind), afterEndS: 10 }))
})
