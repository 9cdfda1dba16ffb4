import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { readChallenge } from '../../../gateway/sip/digest-challenge.ts'
import { DigestSession } from '../../../gateway/sip/digest-session.ts'
import { DigestJudge } from '../../../gateway/sip-door/digest-judge.ts'
import { Nonces } from '../../../gateway/sip-door/nonces.ts'
import { DEFAULT_LIMITS } from '../../../gateway/sip-server/limits.ts'
import { parseHead, type SipRequest } from '../../../gateway/sip-server/sip-message.ts'
import { ManualClock } from '../../manual-clock.ts'
import { sipRequest } from '../sip-server/sip-text.ts'

const URI = 'sip:recorder@127.0.0.1'
const ALICE = { user: 'älice', password: 'sïlent: key' }
const BOB = { user: 'bob', password: 'zanzibar' }
const SOURCE = '192.0.2.1'

function requestWith(headers: readonly string[]): SipRequest {
  const text = Buffer.from(sipRequest({ uri: URI, headers }), 'utf8').toString('latin1')
  const head = parseHead(text, DEFAULT_LIMITS)
  if (head.kind !== 'head' || head.message.kind !== 'request') throw new Error('no request')
  return head.message
}

function setUp(algorithms: ('SHA-256' | 'MD5')[] = ['SHA-256', 'MD5']) {
  const clock = new ManualClock()
  const judge = new DigestJudge({ realm: 'tallenne', algorithms }, new Nonces(clock))
  const challenges = () => judge.challenge(SOURCE, { isStale: false }).map(({ value }) => value)
  /** Credentials as the client's side of this project makes them. */
  const answerTo = (challenge: string, credentials = ALICE) => {
    const session = new DigestSession(credentials)
    session.takes({ status: 401, get: () => challenge }, {})
    return () => session.headersFor({ method: 'INVITE', uri: URI, body: '' })['Authorization'] ?? ''
  }
  const verdict = (authorization: string, source = SOURCE) =>
    judge.judge(requestWith([`Authorization: ${authorization}`]), source, [ALICE, BOB])
  return { clock, judge, challenges, answerTo, verdict }
}

t.test('a challenge for each hash function is met, the preferred one first', async (t) => {
  const { challenges, answerTo, verdict } = setUp()
  const [first, second] = challenges()
  t.match(readChallenge(first ?? ''), { hash: 'sha256', qop: 'auth', realm: 'tallenne' })
  t.match(readChallenge(second ?? ''), { hash: 'md5', qop: 'auth' })
  t.same(verdict(answerTo(first ?? '')()), {
    kind: 'right',
    user: Buffer.from('älice').toString('latin1'),
  })
  t.match(verdict(answerTo(challenges()[1] ?? '', BOB)()), { kind: 'right', user: 'bob' })
})

t.test('credentials work once, and the next count of a nonce is another once', async (t) => {
  const { challenges, answerTo, verdict } = setUp()
  const next = answerTo(challenges()[0] ?? '')
  const first = next()
  t.equal(verdict(first).kind, 'right')
  t.equal(verdict(first).kind, 'stale', 'somebody repeats what was overheard')
  const second = next()
  const third = next()
  t.equal(verdict(third).kind, 'right')
  t.equal(verdict(second).kind, 'stale', 'one that is overtaken is asked for again')
})

t.test('a nonce is good for five minutes, for the source that got it, at this node', async (t) => {
  const { clock, challenges, answerTo, verdict } = setUp()
  const next = answerTo(challenges()[0] ?? '')
  t.equal(verdict(next(), '192.0.2.2').kind, 'stale')
  t.equal(setUp().verdict(next()).kind, 'stale')
  clock.advance(300_000)
  t.equal(verdict(next()).kind, 'right')
  clock.advance(1)
  t.equal(verdict(next()).kind, 'stale')
  t.match(setUp().judge.challenge(SOURCE, { isStale: true })[0]?.value, /, stale=true$/)
})

t.test('what is wrong is wrong', async (t) => {
  const { challenges, answerTo, verdict, judge } = setUp()
  const good = () => answerTo(challenges()[0] ?? '')()
  t.equal(verdict(answerTo(challenges()[0] ?? '', { ...ALICE, password: 'x' })()).kind, 'wrong')
  t.equal(verdict(answerTo(challenges()[0] ?? '', { user: 'eve', password: 'x' })()).kind, 'wrong')
  for (const [part, other] of [
    ['qop=auth', 'qop=auth-int'],
    [/nc=\w+/, 'nc=x'],
    [/cnonce="\w+"/, 'cnonce=""'],
    [/cnonce="\w/, 'cnonce="~'],
    [/uri="[^"]+"/, 'uri="sip:other@127.0.0.1"'],
    [/response="\w+"/, 'response=""'],
    ['algorithm=SHA-256', 'algorithm=SHA-512-256'],
    ['algorithm=SHA-256', 'algorithm=MD5'],
  ] as const) {
    t.equal(verdict(good().replace(part, other)).kind, 'wrong', String(other))
  }
  t.equal(verdict(good().replace('realm="tallenne"', 'realm="elsewhere"')).kind, 'absent')
  t.equal(verdict('Bearer abc').kind, 'absent')
  t.equal(judge.judge(requestWith([]), SOURCE, [ALICE]).kind, 'absent')
  t.equal(judge.judge(requestWith([`Authorization: ${good()}`]), SOURCE, []).kind, 'wrong')
})

t.test('MD5 is refused where it is switched off', async (t) => {
  const { challenges, verdict, judge } = setUp(['SHA-256'])
  t.equal(challenges().length, 1)
  const nonce = readChallenge(challenges()[0] ?? '')?.nonce ?? ''
  const h = (text: string) => createHash('md5').update(text).digest('hex')
  const response = h(`${h('bob:tallenne:zanzibar')}:${nonce}:00000001:c:auth:${h(`INVITE:${URI}`)}`)
  const md5 = `Digest username="bob", realm="tallenne", nonce="${nonce}", uri="${URI}", response="${response}", cnonce="c", nc=00000001, qop=auth`
  t.equal(verdict(md5).kind, 'wrong')
  t.ok(judge)
})

t.test('parameters of the Request-URI may be left out of what is vouched for', async (t) => {
  const { judge, challenges } = setUp()
  const session = new DigestSession(BOB)
  session.takes({ status: 401, get: () => challenges()[0] }, {})
  const { Authorization = '' } = session.headersFor({ method: 'INVITE', uri: URI, body: '' })
  const request = {
    ...requestWith([`Authorization: ${Authorization}`]),
    uri: `${URI};transport=tcp`,
  }
  t.equal(judge.judge(request, SOURCE, [BOB]).kind, 'right')
})

t.test('a flood of used nonces cannot make one good again', async (t) => {
  const { clock, challenges, answerTo, verdict } = setUp(['MD5'])
  const old = answerTo(challenges()[0] ?? '')()
  t.equal(verdict(old).kind, 'right')
  const nonces = new Nonces(clock)
  const first = nonces.issue(SOURCE)
  nonces.use(first, 1, SOURCE)
  for (let times = 0; times < 20_000; times += 1) nonces.use(nonces.issue(SOURCE), 1, SOURCE)
  t.equal(nonces.stateOf(first, 1, SOURCE), 'stale')
  clock.advance(1)
  t.equal(nonces.stateOf(nonces.issue(SOURCE), 1, SOURCE), 'fresh')
})

t.test('whatever stands in the header, there is a verdict and it is not right', async () => {
  const { challenges, answerTo, verdict } = setUp()
  const whole = answerTo(challenges()[0] ?? '')()
  for (let end = 0; end < whole.length - 1; end += 1) {
    if (verdict(whole.slice(0, end).trim()).kind === 'right') throw new Error(`right at ${end}`)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), fc.nat({ max: whole.length }), (noise, at) => {
      const text =
        whole.slice(0, at) + noise.replace(/[\r\n]/g, ' ') + whole.slice(at + noise.length)
      return text === whole || verdict(text).kind !== undefined
    }),
  )
})
