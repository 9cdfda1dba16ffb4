import fc from 'fast-check'
import t from 'tap'
import { readAmrFrames } from '../../../recorder/decoding/amr-frames.ts'
import { frameFilteredPayload } from '../../../recorder/decoding/filter-kinds.ts'
import { type AmrFrame, amrPayload } from './amr-payloads.ts'

const PACKINGS = [
  { codec: 'AMR', isOctetAligned: false },
  { codec: 'AMR', isOctetAligned: true },
  { codec: 'AMR-WB', isOctetAligned: false },
  { codec: 'AMR-WB', isOctetAligned: true },
] as const

/** Bytes whose bits all count, so that none can be lost unseen. */
function frame(frameType: number, bits: number, isGood = true): AmrFrame {
  const bytes = Buffer.alloc(Math.ceil(bits / 8), 0xff)
  const spare = bytes.length * 8 - bits
  bytes[bytes.length - 1] = (0xff << spare) & 0xff
  return { frameType, isGood, bytes }
}

for (const packing of PACKINGS) {
  const name = `${packing.codec}, ${packing.isOctetAligned ? 'octet-aligned' : 'bandwidth-efficient'}`
  const isWide = packing.codec === 'AMR-WB'

  t.test(`${name}: every mode is read bit by bit`, async (t) => {
    const modes = isWide
      ? [132, 177, 253, 285, 317, 365, 397, 461, 477]
      : [95, 103, 118, 134, 148, 159, 204, 244]
    for (const [frameType, bits] of modes.entries()) {
      const sent = frame(frameType, bits)
      t.same(readAmrFrames(amrPayload([sent], packing), packing), [
        Uint8Array.of((frameType << 3) | 4, ...sent.bytes),
      ])
    }
  })

  t.test(
    `${name}: silence, damaged frames and empty ones are silence of their length`,
    async (t) => {
      const speech = isWide ? frame(2, 253) : frame(7, 244)
      const damaged = isWide ? frame(2, 253, false) : frame(7, 244, false)
      const silence = isWide ? frame(9, 40) : frame(8, 39)
      const nothing = { frameType: 15, bytes: Buffer.alloc(0) }
      const frames = readAmrFrames(
        amrPayload([silence, speech, damaged, nothing, speech], packing),
        packing,
      )
      t.same(
        frames?.map((read) => read !== undefined),
        [false, true, false, false, true],
      )
    },
  )

  t.test(`${name}: what is cut or of a reserved type is none`, async (t) => {
    const speech = isWide ? frame(8, 477) : frame(7, 244)
    const payload = amrPayload([speech, speech], packing)
    for (let length = 0; length < payload.length; length++) {
      t.equal(readAmrFrames(payload.subarray(0, length), packing), undefined, `${length} bytes`)
    }
    const reserved = amrPayload([{ frameType: 12, bytes: Buffer.alloc(0) }], packing)
    t.equal(readAmrFrames(Buffer.concat([reserved, Buffer.alloc(80)]), packing), undefined)
  })

  t.test(`${name}: nothing breaks the reader`, async () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (payload) => {
        readAmrFrames(payload, packing)
        return true
      }),
    )
  })
}

t.test('payloads of other codecs are cut into their frames', async (t) => {
  const count = (codec: 'G729' | 'GSM' | 'ILBC', payload: Uint8Array) => {
    const framed = frameFilteredPayload(payload, { codec, payloadType: 96, clockRate: 8000 })
    return framed && `${framed.kind.name}: ${framed.frames.length}`
  }
  const gsm = Buffer.concat([Buffer.alloc(33, 0xd0), Buffer.alloc(33, 0xdf)])
  t.equal(count('G729', Buffer.alloc(20)), 'G729: 2')
  t.equal(count('G729', Buffer.alloc(12)), 'G729: 1', 'the second is silence by annex B')
  t.equal(count('G729', Buffer.alloc(2)), 'G729: 0')
  t.equal(count('G729', Buffer.alloc(13)), undefined)
  t.equal(count('GSM', gsm), 'GSM: 2')
  t.equal(count('GSM', Buffer.alloc(33)), undefined, 'no frame of GSM begins so')
  t.equal(count('GSM', gsm.subarray(1)), undefined)
  t.equal(count('ILBC', Buffer.alloc(76)), 'ILBC 20 ms: 2')
  t.equal(count('ILBC', Buffer.alloc(50)), 'ILBC 30 ms: 1')
  t.equal(count('ILBC', Buffer.alloc(51)), undefined)
})
