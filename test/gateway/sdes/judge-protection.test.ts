import t from 'tap'
import { readCrypto } from '../../../gateway/sdes/crypto-attribute.ts'
import { judgeAnswered, judgeOffered } from '../../../gateway/sdes/judge-protection.ts'
import { newOffer } from '../../../gateway/sdes/own-keys.ts'

const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'
const FIRST = `3 F8_128_HMAC_SHA1_80 inline:${KEY}`
const SECOND = `4 AES_CM_128_HMAC_SHA1_32 inline:${KEY}`
const THIRD = `5 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`

const line = (protocol: string, ...crypto: readonly string[]) => ({ protocol, crypto })
const offered = (
  protocol: string,
  crypto: readonly string[],
  policy: 'allow' | 'require' | 'refuse' = 'allow',
) => judgeOffered(line(protocol, ...crypto), { policy, own: undefined })

t.test(
  'the first suite that we have is answered under its tag with a key of our own',
  async (t) => {
    const judged = offered('RTP/SAVP', [FIRST, SECOND, THIRD])
    if (judged.kind !== 'secure') throw new Error(judged.kind)
    t.match(judged.crypto, [/^4 AES_CM_128_HMAC_SHA1_32 inline:[A-Za-z0-9+/]{40}$/])
    t.notMatch(judged.crypto[0], KEY)
    t.equal(judged.srtp.receive?.keys[0]?.keyAndSalt, KEY)
    t.equal(judged.crypto[0]?.split('inline:')[1], judged.srtp.send.keys[0]?.keyAndSalt)
  },
)

t.test('a policy and a profile decide together', async (t) => {
  for (const [protocol, crypto, policy, kind] of [
    ['RTP/SAVP', [THIRD], 'allow', 'secure'],
    ['RTP/SAVPF', [THIRD], 'require', 'secure'],
    ['RTP/SAVP', [THIRD], 'refuse', 'refused'],
    ['RTP/SAVP', [FIRST], 'allow', 'refused'],
    ['RTP/SAVP', [], 'allow', 'refused'],
    ['RTP/AVP', [THIRD], 'allow', 'secure'],
    ['RTP/AVP', [THIRD], 'require', 'secure'],
    ['RTP/AVP', [THIRD], 'refuse', 'plain'],
    ['RTP/AVP', [FIRST], 'allow', 'plain'],
    ['RTP/AVP', [FIRST], 'require', 'refused'],
    ['RTP/AVP', [], 'allow', 'plain'],
    ['RTP/AVPF', [], 'require', 'refused'],
  ] as const) {
    t.equal(offered(protocol, crypto, policy).kind, kind, `${protocol} ${crypto.length} ${policy}`)
  }
})

t.test('our key stays while the suite does', async (t) => {
  const first = offered('RTP/SAVP', [THIRD])
  if (first.kind !== 'secure') throw new Error(first.kind)
  const own = first.srtp.send
  const same = judgeOffered(line('RTP/SAVP', THIRD), { policy: 'allow', own })
  t.same(same, first)
  const other = judgeOffered(line('RTP/SAVP', SECOND), { policy: 'allow', own })
  t.not(other.kind === 'secure' && other.srtp.send.keys[0]?.keyAndSalt, own.keys[0]?.keyAndSalt)
})

t.test('unencrypted RTCP is agreed on for both ways', async (t) => {
  const judged = offered('RTP/SAVP', [`${THIRD} UNENCRYPTED_SRTCP`])
  t.match(judged, {
    srtp: { receive: { hasPlainRtcp: true }, send: { hasPlainRtcp: true } },
    crypto: [/ UNENCRYPTED_SRTCP$/],
  })
})

t.test('an answer must repeat a tag of ours with its suite', async (t) => {
  const ours = newOffer()
  const answer = (...crypto: readonly string[]) =>
    judgeAnswered(line('RTP/SAVP', ...crypto), { offered: ours, mustBe: true })
  const taken = answer(`2 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`)
  if (taken.kind !== 'secure') throw new Error(taken.kind)
  t.equal(taken.srtp.receive?.keys[0]?.keyAndSalt, KEY)
  t.same(taken.crypto, [ours[1]])
  const own = readCrypto(ours[1] ?? '')
  t.same(own.kind === 'usable' && own.attribute.keying, taken.srtp.send)
  t.equal(answer(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`).kind, 'refused')
  t.equal(answer(`9 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`).kind, 'refused')
  t.equal(answer().kind, 'refused')
  const plain = line('RTP/AVP')
  t.equal(judgeAnswered(plain, { offered: ours, mustBe: false }).kind, 'plain')
  t.equal(judgeAnswered(plain, { offered: ours, mustBe: true }).kind, 'refused')
})
