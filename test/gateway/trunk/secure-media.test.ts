import t from 'tap'
import { readCrypto } from '../../../gateway/sdes/crypto-attribute.ts'
import { newKeying, newOffer } from '../../../gateway/sdes/own-keys.ts'
import { PacketOpener } from '../../../recorder/srtp/packet-opener.ts'
import { PacketSealer } from '../../../recorder/srtp/packet-sealer.ts'
import type { SrtpKeying } from '../../../recorder/srtp/srtp-plan.ts'
import type { SrtpSuiteName } from '../../../recorder/srtp/srtp-suite.ts'
import { until } from '../../until.ts'
import { MediaParty, type PartyProtection } from './media-party.ts'
import { audioPort, sdp, startTrunkNode } from './trunk-node.ts'

const SUITE = 'AES_CM_128_HMAC_SHA1_80'

/** The values of `a=crypto` in a description. */
function cryptoOf(description: string): readonly string[] {
  return [...description.matchAll(/^a=crypto:(.*)\r$/gm)].map(([, value = '']) => value)
}

/** What a party sends by `own` and hears by what the description that it was sent says under that tag. */
function protectionBy(own: string, description: string): PartyProtection {
  const [tag] = own.split(' ')
  const theirs = cryptoOf(description).find((value) => value.split(' ')[0] === tag) ?? ''
  const sealer = new PacketSealer(keyingOf(own))
  const opener = new PacketOpener()
  opener.agree(keyingOf(theirs))
  return {
    seal: (packet) => sealer.sealRtp(packet),
    open: (datagram) => {
      const opened = opener.openRtp(datagram, performance.now())
      return typeof opened === 'string' ? undefined : opened
    },
  }
}

function keyingOf(value: string): SrtpKeying {
  const reading = readCrypto(value)
  if (reading.kind === 'unusable') throw new Error(`${reading.problem}: ${value}`)
  return reading.attribute.keying
}

function key(tag: number, suite: SrtpSuiteName = SUITE): string {
  return `${tag} ${suite} inline:${newKeying(suite).keys[0]?.keyAndSalt}`
}

function secure(port: number, crypto: readonly string[], protocol = 'RTP/SAVP', version = 1) {
  const extra = crypto.map((value) => `a=crypto:${value}`)
  return sdp(port, { protocol, extra, version })
}

t.test('a secure caller and a plain platform hear each other and are recorded', async (t) => {
  const node = await startTrunkNode(t, {
    route: { targets: [{ uri: 'sip:127.0.0.1:PLATFORM', srtp: 'off' }] },
  })
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const own = key(1)
  const { call, at, answer } = await node.talking(
    { body: secure(caller.port, [key(9, 'AES_CM_128_HMAC_SHA1_32').replace(/HMAC/, 'CMAC'), own]) },
    { body: sdp(agent.port) },
  )
  t.match(at.invite.body, /^m=audio \d+ RTP\/AVP 0 8 101\r$/m)
  t.notMatch(at.invite.body, /crypto/)
  t.match(answer.body, /^m=audio \d+ RTP\/SAVP 0 8 101\r$/m)
  t.match(cryptoOf(answer.body), [/^1 AES_CM_128_HMAC_SHA1_80 inline:/])
  caller.protection = protectionBy(own, answer.body)
  caller.talk(audioPort(answer.body), 600)
  agent.talk(audioPort(at.invite.body), 1500)
  await Promise.all([caller.hears(50), agent.hears(50)])
  t.ok(caller.heardTone(1500) > 40)
  t.ok(agent.heardTone(600) > 40)
  t.equal(caller.closed, 0)
  caller.stop()
  agent.stop()
  await Promise.all([caller.hears(agent.sent), agent.hears(caller.sent)])
  await call.bye()
  const ended = await node.journaled('recording.ended')
  t.match(ended, { state: 'complete' })
  t.match(ended.media, [{ placed: caller.sent, unauthenticated: 0, replayed: 0 }, {}])
  t.notMatch(JSON.stringify(node.entries), own.split('inline:')[1] ?? '-')
})

t.test(
  'by default the platform is offered what the caller offers, with keys of our own',
  async (t) => {
    const node = await startTrunkNode(t)
    const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
    const own = key(1, 'AEAD_AES_128_GCM')
    const theirs = key(3, 'AEAD_AES_256_GCM')
    const { call, at, answer } = await node.talking(
      { body: secure(caller.port, [own]) },
      { body: secure(agent.port, [theirs]) },
    )
    t.match(at.invite.body, /^m=audio \d+ RTP\/SAVP /m)
    t.equal(cryptoOf(at.invite.body).length, newOffer().length)
    t.notMatch(at.invite.body, own.split('inline:')[1] ?? '-')
    caller.protection = protectionBy(own, answer.body)
    agent.protection = protectionBy(theirs, at.invite.body)
    caller.talk(audioPort(answer.body), 600)
    agent.talk(audioPort(at.invite.body), 1500)
    await Promise.all([caller.hears(30), agent.hears(30)])
    t.same([caller.closed, agent.closed], [0, 0])
    t.ok(agent.heardTone(600) > 25)

    // A re-INVITE with another key: the platform keeps its own, and nothing is lost.
    const renewed = key(1, 'AEAD_AES_128_GCM')
    const answered = call.reinvite({ body: secure(caller.port, [renewed], 'RTP/SAVP', 2) })
    const passed = await at.received('INVITE')
    t.same(
      cryptoOf(passed.body),
      cryptoOf(at.invite.body).slice(2, 3),
      'the key that was agreed on',
    )
    at.respond(200, { body: secure(agent.port, [theirs], 'RTP/SAVP', 2) }, passed)
    const reanswer = await answered
    t.equal(reanswer.status, 200)
    t.same(cryptoOf(reanswer.body), cryptoOf(answer.body), 'our key stays')
    const before = caller.protection
    caller.protection = { seal: protectionBy(renewed, reanswer.body).seal, open: before.open }
    const from = agent.heard.length
    await agent.hears(30, from)
    t.ok(agent.heardTone(600, from) > 25)
    await call.bye()
    t.match(await node.journaled('recording.ended'), { state: 'complete' })
  },
)

t.test('a target that is offered keys beside plain media may take either', async (t) => {
  const node = await startTrunkNode(t, {
    route: { targets: [{ uri: 'sip:127.0.0.1:PLATFORM', srtp: 'offer' }] },
  })
  const plain = await node.talking()
  t.match(plain.at.invite.body, /^m=audio \d+ RTP\/AVP /m)
  t.equal(cryptoOf(plain.at.invite.body).length, newOffer().length)
  t.notMatch(plain.answer.body, /crypto/)
  await plain.call.bye()
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const theirs = key(2)
  const { call, at, answer } = await node.talking(
    { body: sdp(caller.port) },
    { body: secure(agent.port, [theirs], 'RTP/AVP') },
  )
  agent.protection = protectionBy(theirs, at.invite.body)
  caller.talk(audioPort(answer.body), 600)
  await agent.hears(10)
  t.equal(agent.closed, 0)
  await call.bye()
})

t.test('a target that must protect and does not is hung up on', async (t) => {
  const node = await startTrunkNode(t, {
    route: { targets: [{ uri: 'sip:127.0.0.1:PLATFORM', srtp: 'require' }] },
  })
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  t.match(at.invite.body, /^m=audio \d+ RTP\/SAVP /m)
  void at.answer(sdp(50_000))
  t.equal((await call.answered()).status, 502)
  await at.received('BYE')
})

t.test('a route requires, allows or refuses protection, at each offer anew', async (t) => {
  const strict = await startTrunkNode(t, { route: { srtp: 'require' } })
  const bare = strict.callTo()
  bare.sendInvite()
  t.equal((await bare.answered()).status, 488)
  const own = key(1)
  const { call } = await strict.talking(
    { body: secure(40_000, [own]) },
    { body: secure(50_000, [key(1, 'AES_256_CM_HMAC_SHA1_80')]) },
  )
  t.equal((await call.reinvite({ body: sdp(40_000, { version: 2 }) })).status, 488)
  await call.bye()
  const open = await startTrunkNode(t, { route: { srtp: 'refuse' } })
  const closed = open.callTo([], secure(40_000, [own]))
  closed.sendInvite()
  t.equal((await closed.answered()).status, 488)
})

t.test('a caller whose key is another than it said is not merely silent', async (t) => {
  const node = await startTrunkNode(t)
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const { call, at, answer } = await node.talking(
    { body: secure(caller.port, [key(1)]) },
    { body: secure(agent.port, [key(2)]) },
  )
  caller.protection = protectionBy(key(1), answer.body)
  caller.talk(audioPort(answer.body), 600)
  agent.talk(audioPort(at.invite.body), 600)
  await until(() => caller.sent >= 70)
  await call.bye()
  const ended = await node.journaled('recording.ended')
  t.match(ended, { state: 'failed', reasons: ['unauthenticated_media', 'no_media'] })
  t.equal(agent.heard.length, 0)
})
