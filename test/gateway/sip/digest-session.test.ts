import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { readChallenge } from '../../../gateway/sip/digest-challenge.ts'
import { DigestSession } from '../../../gateway/sip/digest-session.ts'

const request = { method: 'INVITE', uri: 'sip:2000@192.0.2.20', body: 'v=0' }

function challenge(status: number, value: string) {
  const name = status === 401 ? 'www-authenticate' : 'proxy-authenticate'
  return { status, get: (asked: string) => (asked.toLowerCase() === name ? value : undefined) }
}

function parameter(header: string | undefined, name: string): string | undefined {
  const found = new RegExp(`(?:^Digest |, )${name}=(?:"([^"]*)"|([^,]*))`).exec(header ?? '')
  return found?.[1] ?? found?.[2]
}

t.test('each hash function answers with what its peer calculates', async (t) => {
  // The challenge of RFC 7616 §3.9.1; the cnonce is ours to choose, so that the hash is made again from it.
  const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v'
  for (const [algorithm, hash] of [
    ['MD5', 'md5'],
    ['SHA-256', 'sha256'],
    ['SHA-512-256', 'sha512-256'],
  ] as const) {
    const session = new DigestSession({ user: 'Mufasa', password: 'Circle of Life' })
    const asked = `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${nonce}", opaque="FQhe"`
    t.ok(session.takes(challenge(401, asked), {}))
    const header = session.headersFor({ method: 'GET', uri: '/dir/index.html', body: '' })[
      'Authorization'
    ]
    const h = (text: string) => createHash(hash).update(text).digest('hex')
    const cnonce = parameter(header, 'cnonce')
    const a1 = h('Mufasa:http-auth@example.org:Circle of Life')
    const wanted = h(`${a1}:${nonce}:00000001:${cnonce}:auth:${h('GET:/dir/index.html')}`)
    t.equal(parameter(header, 'response'), wanted, algorithm)
    t.equal(parameter(header, 'algorithm'), algorithm)
    t.equal(parameter(header, 'opaque'), 'FQhe')
    t.equal(parameter(header, 'nc'), '00000001')
  }
})

t.test('a challenge of before qop is met as RFC 2069 says', async (t) => {
  const session = new DigestSession({ user: 'bob', password: 'zanzibar' })
  t.ok(session.takes(challenge(407, 'Digest realm="biloxi.com", nonce="dcd98b7102dd2f"'), {}))
  const header = session.headersFor({ method: 'INVITE', uri: 'sip:bob@biloxi.com', body: '' })[
    'Proxy-Authorization'
  ]
  t.equal(parameter(header, 'response'), '1bd1ba4405032617c00033b7ad5417d1')
  t.equal(parameter(header, 'qop'), undefined)
  t.equal(parameter(header, 'cnonce'), undefined)
})

t.test('auth-int vouches for the body, and each use of a nonce is counted', async (t) => {
  const session = new DigestSession({ user: 'u', password: 'p' })
  t.ok(session.takes(challenge(401, 'Digest realm="r", nonce="n", qop="auth-int"'), {}))
  const first = session.headersFor(request)['Authorization']
  const second = session.headersFor({ ...request, body: 'v=1' })['Authorization']
  t.equal(parameter(first, 'qop'), 'auth-int')
  t.not(parameter(first, 'response'), parameter(second, 'response'))
  t.equal(parameter(second, 'nc'), '00000002')
})

t.test('wrong credentials are not tried again, a stale nonce is', async (t) => {
  const session = new DigestSession({ user: 'u', password: 'p' })
  const ask = (nonce: string, more = '') =>
    challenge(401, `Digest realm="r", nonce="${nonce}", qop="auth"${more}`)
  t.ok(session.takes(ask('1'), {}))
  const sent = session.headersFor(request)
  t.notOk(session.takes(ask('2'), sent), 'the password is wrong')
  t.ok(session.takes(ask('2', ', stale=TRUE'), sent))
  session.headersFor(request)
  const later = session.headersFor(request)
  t.ok(session.takes(ask('3'), later), 'a nonce that was good before has been forgotten')
})

t.test('a proxy and the server behind it are both answered', async (t) => {
  const session = new DigestSession({ user: 'u', password: 'p' })
  t.ok(session.takes(challenge(407, 'Digest realm="proxy", nonce="1"'), {}))
  t.ok(
    session.takes(challenge(401, 'Digest realm="server", nonce="2"'), session.headersFor(request)),
  )
  t.same(Object.keys(session.headersFor(request)), ['Proxy-Authorization', 'Authorization'])
})

t.test('the first challenge that can be met is met', async (t) => {
  const several =
    'Basic realm="x", DIGEST realm="a, \\"b\\"", nonce="1", algorithm=SHA-3, Digest realm="a", nonce="2", algorithm=sha-256-sess, qop="auth", Digest realm="a", nonce="3"'
  t.match(readChallenge(several), { nonce: '2', hash: 'sha256', isSession: true, qop: 'auth' })
  t.equal(readChallenge('Digest realm="a", nonce="1", qop="future"'), undefined)
  t.equal(readChallenge('Digest nonce="1"'), undefined)
  t.equal(readChallenge(''), undefined)
})

t.test('whatever a challenge holds, it is met or it is none', async () => {
  const whole =
    'Digest realm="a", nonce="b\\"c", opaque="", algorithm=MD5-sess, qop="auth,auth-int"'
  for (let end = 0; end <= whole.length; end++) readChallenge(whole.slice(0, end))
  fc.assert(
    fc.property(fc.string(), (noise) => {
      const session = new DigestSession({ user: 'u', password: 'p' })
      session.takes(challenge(401, `Digest realm="r", nonce="${noise}", ${noise}`), {})
      for (const value of Object.values(session.headersFor(request))) {
        if (/[\r\n]/.test(value)) return false
      }
      return true
    }),
  )
})
