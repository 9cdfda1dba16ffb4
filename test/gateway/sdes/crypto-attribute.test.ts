import fc from 'fast-check'
import t from 'tap'
import { readCrypto, writeCrypto } from '../../../gateway/sdes/crypto-attribute.ts'
import { newOffer } from '../../../gateway/sdes/own-keys.ts'

const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'
const OTHER = 'PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR'
const SUITE = 'AES_CM_128_HMAC_SHA1_80'

function read(value: string) {
  const reading = readCrypto(value)
  return reading.kind === 'usable' ? reading.attribute : reading.problem
}

t.test('an attribute is read with its lifetime and its identifiers', async (t) => {
  t.same(read(`1 ${SUITE} inline:${KEY}|2^20|1:4`), {
    tag: '1',
    suiteName: SUITE,
    keying: {
      suite: SUITE,
      keys: [{ keyAndSalt: KEY, mki: '00000001', lifetime: 2 ** 20 }],
      hasPlainRtcp: false,
    },
  })
  t.same(read(`7 ${SUITE} inline:${KEY}|500`), {
    tag: '7',
    suiteName: SUITE,
    keying: {
      suite: SUITE,
      keys: [{ keyAndSalt: KEY, mki: '', lifetime: 500 }],
      hasPlainRtcp: false,
    },
  })
  t.match(read(`1 ${SUITE} inline:${KEY}|2^48`), { keying: { keys: [{ lifetime: 2 ** 48 }] } })
  t.match(read(`2 ${SUITE} inline:${KEY}|2^31|10:2;inline:${OTHER}|11:2 UNENCRYPTED_SRTCP`), {
    keying: {
      keys: [
        { keyAndSalt: KEY, mki: '000a' },
        { keyAndSalt: OTHER, mki: '000b' },
      ],
      hasPlainRtcp: true,
    },
  })
})

t.test('names have no case, and those of drafts are understood and repeated', async (t) => {
  const key = Buffer.alloc(46, 1).toString('base64')
  t.match(read(`1 aes_cm_256_hmac_sha1_80 INLINE:${key}`), {
    suiteName: 'aes_cm_256_hmac_sha1_80',
    keying: { suite: 'AES_256_CM_HMAC_SHA1_80' },
  })
})

t.test('parameters that change nothing for us are passed over', async (t) => {
  for (const parameter of ['WSH=128', '-X_OWN=1', 'KDR=0', 'FEC_ORDER=FEC_SRTP']) {
    t.type(read(`1 ${SUITE} inline:${KEY} ${parameter}`), 'object', parameter)
  }
})

t.test('an attribute that cannot be used says why, and never its key', async (t) => {
  for (const [value, problem] of [
    [`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY.slice(4)}`, /length/],
    [`1 ${SUITE} inline:${KEY} UNAUTHENTICATED_SRTP`, /session parameter/],
    [`1 ${SUITE} inline:${KEY} UNENCRYPTED_SRTP`, /session parameter/],
    [`1 ${SUITE} inline:${KEY} KDR=5`, /session parameter/],
    [`1 ${SUITE} inline:${KEY} UNHEARD_OF`, /session parameter/],
    [`1 F8_128_HMAC_SHA1_80 inline:${KEY}`, /suite/],
    [`1 ${SUITE} inline:${KEY};inline:${OTHER}`, /told apart/],
    [`1 ${SUITE} inline:${KEY}|1:4;inline:${OTHER}|1:4`, /told apart/],
    [`1 ${SUITE} inline:${KEY}|2^49`, /lifetime/],
    [`1 ${SUITE} inline:${KEY}|0`, /lifetime/],
    [`1 ${SUITE} inline:${KEY}|2^999999999999999`, /lifetime/],
    [`1 ${SUITE} inline:${KEY}|1.5`, /lifetime/],
    [`1 ${SUITE} inline:${KEY}|256:1`, /identifier/],
    [`1 ${SUITE} inline:${KEY}|1:129`, /identifier/],
    [`1 ${SUITE} uri:${KEY}`, /inline/],
    [`x ${SUITE} inline:${KEY}`, /tag/],
  ] as const) {
    const found = read(value)
    t.match(found, problem, value.replace(KEY, '…'))
    t.notMatch(found, KEY.slice(4))
  }
})

t.test('what we offer is read as it was meant', async (t) => {
  const offer = newOffer()
  t.same(
    offer.map((value) => value.split(' ')[0]),
    ['1', '2', '3', '4', '5', '6'],
  )
  t.equal(new Set(offer.map((value) => value.split('inline:')[1])).size, 6, 'each with its own key')
  for (const value of offer) {
    const reading = readCrypto(value)
    t.equal(reading.kind === 'usable' && writeCrypto(reading.attribute), value)
  }
})

t.test('any text is an attribute or a problem', async (t) => {
  const whole = `1 ${SUITE} inline:${KEY}|2^20|1:4;inline:${OTHER}|2:4 WSH=64`
  const kinds = new Set(Array.from(whole, (_, end) => readCrypto(whole.slice(0, end)).kind))
  t.same([...kinds].sort(), ['unusable', 'usable'])
  fc.assert(
    fc.property(fc.nat(whole.length), fc.string({ maxLength: 30 }), (at, noise) =>
      ['usable', 'unusable'].includes(
        readCrypto(whole.slice(0, at) + noise + whole.slice(at)).kind,
      ),
    ),
  )
  t.pass()
})
