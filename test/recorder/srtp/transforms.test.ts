import t from 'tap'
import { CounterMode } from '../../../recorder/srtp/counter-mode.ts'
import { GcmMode } from '../../../recorder/srtp/gcm-mode.ts'
import { newPlace } from '../../../recorder/srtp/packet-layout.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const NO_KEY = new Uint8Array(0)
const GCM_SALT = Buffer.from('517569642070726f2071756f', 'hex')
const COUNTING = Buffer.from(Array.from({ length: 32 }, (_, index) => index))

/** The key stream is what a body of zeros becomes. */
function keyStream(key: string, bytes: number): string {
  const transform = new CounterMode({
    keys: {
      key: Buffer.from(key, 'hex'),
      authKey: Buffer.alloc(20),
      salt: Buffer.from('f0f1f2f3f4f5f6f7f8f9fafbfcfd', 'hex'),
    },
    kind: 'rtp',
    tagBytes: 10,
  })
  const packet = Buffer.alloc(bytes + 10)
  transform.seal(packet, { ...newPlace(), bodyEnd: bytes, tagAt: bytes, tagBytes: 10 })
  return hex(packet.subarray(0, bytes))
}

t.test('the key stream of RFC 3711 appendix B.2 comes out', async (t) => {
  t.equal(
    keyStream('2b7e151628aed2a6abf7158809cf4f3c', 48),
    'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
  )
})

t.test('the key stream of RFC 6188 section 7.1 comes out', async (t) => {
  t.equal(
    keyStream('57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98', 48),
    '92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac63c4868b7096d88421b563b8c94c9a31',
  )
})

for (const [bits, protectedBody] of [
  [
    128,
    'f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce',
  ],
  [
    256,
    '32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13',
  ],
] as const) {
  t.test(`the RTP packet of RFC 7714 section 16 comes out with ${bits} bits`, async (t) => {
    const keys = { key: COUNTING.subarray(0, bits / 8), authKey: NO_KEY, salt: GCM_SALT }
    const transform = new GcmMode({ keys, kind: 'rtp' })
    const head = '8040f17b8041f8d35501a0b2'
    const body = Buffer.from('Gallia est omnis divisa in partes tres').toString('hex')
    const place = {
      ...newPlace(),
      ssrc: 0x5501a0b2,
      index: 0xf17b,
      headBytes: 12,
      bodyEnd: 50,
      tagAt: 50,
      tagBytes: 16,
    }
    const packet = Buffer.from(`${head}${body}${'00'.repeat(16)}`, 'hex')
    transform.seal(packet, place)
    t.equal(hex(packet), head + protectedBody)
    t.equal(transform.open(packet, place), true)
    t.equal(hex(packet.subarray(0, 50)), head + body)
  })
}

t.test('the RTCP packet of RFC 7714 section 17 comes out, encrypted and not', async (t) => {
  const keys = { key: COUNTING.subarray(0, 16), authKey: NO_KEY, salt: GCM_SALT }
  const transform = new GcmMode({ keys, kind: 'rtcp' })
  const head = '81c8000d4d617273'
  const body =
    '4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef'
  const place = {
    ...newPlace(),
    ssrc: 0x4d617273,
    index: 0x5d4,
    headBytes: 8,
    bodyEnd: 52,
    tagAt: 52,
    tagBytes: 16,
  }
  const packet = Buffer.from(`${head}${body}${'00'.repeat(16)}800005d4`, 'hex')
  transform.seal(packet, place)
  t.equal(
    hex(packet),
    `${head}63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4`,
  )
  const clear = Buffer.from(`${head}${body}${'00'.repeat(16)}000005d4`, 'hex')
  transform.seal(clear, { ...place, isEncrypted: false })
  t.equal(hex(clear.subarray(0, 52)), head + body)
  t.equal(transform.open(clear, { ...place, isEncrypted: false }), true)
  clear[20] = (clear[20] ?? 0) ^ 1
  t.equal(transform.open(clear, { ...place, isEncrypted: false }), false)
})
