import t from 'tap'
import { readCrypto } from '../../../gateway/sdes/crypto-attribute.ts'
import { newKeying } from '../../../gateway/sdes/own-keys.ts'
import type { SrtpSuiteName } from '../../../recorder/srtp/srtp-suite.ts'
import { answeredLines, offer } from '../recording-offer.ts'
import { startSignallingNode } from '../signalling-node.ts'

const SUITE = 'AES_CM_128_HMAC_SHA1_80'

function newKey(suite: SrtpSuiteName = SUITE): string {
  return newKeying(suite).keys[0]?.keyAndSalt ?? ''
}

function secureLine(port: number, label: string, crypto: readonly string[], protocol = 'RTP/SAVP') {
  return { port, label, protocol, attributes: crypto.map((value) => `a=crypto:${value}`) }
}

t.test(
  'each line is answered with its first suite that we have, and nothing of a key is journaled',
  async (t) => {
    const { peer, journaled, entries } = await startSignallingNode(t)
    const keys = [newKey(), newKey('AEAD_AES_256_GCM')] as const
    const call = peer.call({
      callId: 'secure',
      body: offer([
        secureLine(40_000, '1', [
          `1 F8_128_HMAC_SHA1_80 inline:${keys[0]}`,
          `2 ${SUITE} inline:${keys[0]}|2^31`,
        ]),
        secureLine(40_002, '2', [`7 AEAD_AES_256_GCM inline:${keys[1]}`], 'RTP/AVP'),
      ]),
    })
    const answer = await call.invite()
    t.equal(answer.status, 200)
    const crypto = [...answer.body.matchAll(/^a=crypto:(.*)\r$/gm)].map(([, value = '']) => value)
    t.match(crypto, [/^2 AES_CM_128_HMAC_SHA1_80 inline:/, /^7 AEAD_AES_256_GCM inline:/])
    t.ok(crypto.every((value) => readCrypto(value).kind === 'usable'))
    t.notMatch(answer.body, keys[0])
    t.match(answer.body, /^m=audio \d+ RTP\/SAVP 0\r[\s\S]*^m=audio \d+ RTP\/AVP 0\r/m)
    const same = await call.reinvite({
      body: offer(
        [
          secureLine(40_000, '1', [`2 ${SUITE} inline:${keys[0]}`]),
          secureLine(40_002, '2', [`7 AEAD_AES_256_GCM inline:${keys[1]}`], 'RTP/AVP'),
        ],
        2,
      ),
    })
    t.same(
      [...same.body.matchAll(/^a=crypto:(.*)\r$/gm)].map(([, value]) => value),
      crypto,
      'our keys stay while theirs do',
    )
    await call.bye()
    await journaled('recording.ended')
    t.notMatch(JSON.stringify(entries), keys[0])
  },
)

t.test('a line without a key that can be used is refused in its place', async (t) => {
  const { peer } = await startSignallingNode(t)
  const key = newKey()
  const lines = [
    secureLine(40_000, '1', [`1 ${SUITE} inline:${key} UNAUTHENTICATED_SRTP`]),
    secureLine(40_002, '2', [`1 ${SUITE} inline:${key}`]),
  ]
  const call = peer.call({ callId: 'half', body: offer(lines) })
  const answer = await call.invite()
  t.match(answeredLines(answer.body), [{ port: 0 }, { direction: 'recvonly' }])
  await call.bye()
  const none = peer.call({ callId: 'none', body: offer(lines.slice(0, 1)) })
  t.equal((await none.invite()).status, 488)
})
