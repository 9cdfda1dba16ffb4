import { createHash } from 'node:crypto'
import t from 'tap'
import { G726Decoder } from '../../../recorder/decoding/g726-decoder.ts'
import { G726_SAMPLES } from './g726-samples.ts'

/** All that a decoder makes of packets of 20 ms. */
function decodeAll(decoder: G726Decoder, encoded: Uint8Array, packetBytes: number): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0; at < encoded.length; at += packetBytes) {
    const length = decoder.decode(encoded, at, packetBytes)
    parts.push(decoder.bytes.slice(0, length * 2))
  }
  return Buffer.concat(parts)
}

for (const { codeBits, littleEndian, bigEndian, sha256 } of G726_SAMPLES) {
  const packetBytes = codeBits * 20
  t.test(
    `G.726 at ${codeBits * 8} kbit/s is decoded bit by bit as the reference does`,
    async (t) => {
      const decoded = decodeAll(
        new G726Decoder(codeBits),
        Buffer.from(littleEndian, 'base64'),
        packetBytes,
      )
      t.equal(decoded.length, 640 * 2)
      t.equal(createHash('sha256').update(decoded).digest('hex'), sha256)
      const other = decodeAll(
        new G726Decoder(codeBits, { isBigEndian: true }),
        Buffer.from(bigEndian, 'base64'),
        packetBytes,
      )
      t.same(other, decoded)
    },
  )
}

t.test('less than a millisecond is comfort noise, more than 200 ms no packet', async (t) => {
  const decoder = new G726Decoder(4)
  t.equal(decoder.decode(Buffer.alloc(3), 0, 3), 0)
  t.equal(decoder.decode(Buffer.alloc(4), 0, 4), 8)
  t.equal(decoder.decode(Buffer.alloc(801), 0, 801), -1)
})
