import { createHash } from 'node:crypto'
import t from 'tap'
import type { PeerMessage } from '../sip-peer.ts'
import { sdp, startTrunkNode, type TrunkNode } from './trunk-node.ts'

const credentials = { user: 'trunk', password: 'secret' }

/** Whether a request's credentials are those of the password. */
function isVouched(
  request: PeerMessage,
  hash: 'md5' | 'sha256',
  header = 'authorization',
): boolean {
  const text = request.headers.get(header) ?? ''
  const value = (name: string) => new RegExp(`\\b${name}="?([^",]+)`).exec(text)?.[1] ?? ''
  const h = (...parts: readonly string[]) => createHash(hash).update(parts.join(':')).digest('hex')
  const qop = value('qop')
  const a1 = h('trunk', 'platform', 'secret')
  const a2 =
    qop === 'auth-int'
      ? h(request.method, value('uri'), h(request.body))
      : h(request.method, value('uri'))
  return value('response') === h(a1, value('nonce'), value('nc'), value('cnonce'), qop, a2)
}

async function startAsking(t: Parameters<typeof startTrunkNode>[0]): Promise<TrunkNode> {
  return startTrunkNode(t, {
    route: {
      refer: 'handle',
      targets: [
        { uri: 'sip:127.0.0.1:PLATFORM', credentials },
        { uri: 'sip:open@127.0.0.1:PLATFORM', priority: 2 },
      ],
    },
  })
}

const ask = (nonce: string, more = '') =>
  `Digest realm="platform", nonce="${nonce}", qop="auth", algorithm=SHA-256${more}`

t.test('SHA-256 is answered, and everything within the call brings its credentials', async (t) => {
  const node = await startAsking(t)
  node.platform.answers.delete('BYE')
  const call = node.callTo()
  call.sendInvite()
  const first = await node.arrived()
  first.respond(401, { headers: [`WWW-Authenticate: ${ask('n1')}`] })
  const at = await node.arrived()
  t.ok(isVouched(at.invite, 'sha256'))
  t.equal(at.callId, first.callId)
  const counted = (message: PeerMessage) => Number.parseInt(message.headers.get('cseq') ?? '', 10)
  t.equal(counted(at.invite), counted(first.invite) + 1)
  await at.answer(sdp(50_000))
  t.equal((await call.answered()).status, 200)
  const held = call.reinvite({ body: sdp(40_000, { direction: 'sendonly', version: 2 }) })
  const asked = await at.received('INVITE')
  t.ok(isVouched(asked, 'sha256'))
  // Its nonce has grown stale meanwhile.
  at.respond(401, { headers: [`WWW-Authenticate: ${ask('n2', ', stale=true')}`] }, asked)
  const again = await at.received('INVITE')
  t.ok(isVouched(again, 'sha256'))
  t.match(again.headers.get('authorization'), /nonce="n2"/)
  at.respond(200, { body: sdp(50_000, { direction: 'recvonly', version: 2 }) }, again)
  t.equal((await held).status, 200)
  const left = call.bye()
  const bye = await at.received('BYE')
  t.ok(isVouched(bye, 'sha256'))
  at.respond(401, { headers: [`WWW-Authenticate: ${ask('n3', ', stale=true')}`] }, bye)
  const byeAgain = await at.received('BYE')
  t.match(byeAgain.headers.get('authorization'), /nonce="n3"/)
  at.respond(200, {}, byeAgain)
  t.equal((await left).status, 200)
})

t.test('a proxy and the platform behind it each ask for credentials', async (t) => {
  const node = await startAsking(t)
  const call = node.callTo()
  call.sendInvite()
  const proxied = 'Proxy-Authenticate: Digest realm="platform", nonce="p", qop="auth,auth-int"'
  ;(await node.arrived()).respond(407, { headers: [proxied] })
  const second = await node.arrived()
  t.ok(isVouched(second.invite, 'md5', 'proxy-authorization'))
  const direct = 'WWW-Authenticate: Digest realm="platform", nonce="s", qop="auth-int"'
  second.respond(401, { headers: [direct] })
  const third = await node.arrived()
  t.ok(isVouched(third.invite, 'md5', 'proxy-authorization'))
  t.ok(isVouched(third.invite, 'md5', 'authorization'))
  await third.answer(sdp(50_000))
  t.equal((await call.answered()).status, 200)
  await call.bye()
})

t.test('where credentials are wrong, the next target is tried', async (t) => {
  const node = await startAsking(t)
  const call = node.callTo()
  call.sendInvite()
  ;(await node.arrived()).respond(401, { headers: [`WWW-Authenticate: ${ask('1')}`] })
  ;(await node.arrived()).respond(401, { headers: [`WWW-Authenticate: ${ask('2')}`] })
  const open = await node.arrived()
  t.match(open.invite.firstLine, /sip:open@/)
  t.equal(open.invite.headers.get('authorization'), undefined)
  // It asks too, and there is nothing to answer with: not the caller's to answer.
  open.respond(407, { headers: [`Proxy-Authenticate: ${ask('3')}`] })
  const refusal = await call.answered()
  t.equal(refusal.status, 503)
})
