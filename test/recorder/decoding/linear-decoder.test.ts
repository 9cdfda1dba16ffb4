import t from 'tap'
import { LinearDecoder } from '../../../recorder/decoding/linear-decoder.ts'
import { toneShare } from '../tones.ts'

/** 20 ms of a tone, most significant byte first, the same in every channel but for its sign. */
function payload(rate: number, channels: number, sign = 1): Buffer {
  const count = rate / 50
  const bytes = Buffer.alloc(count * channels * 2)
  for (let index = 0; index < count; index++) {
    const value = Math.round(8000 * Math.sin((2 * Math.PI * 1000 * index) / rate))
    for (let channel = 0; channel < channels; channel++) {
      bytes.writeInt16BE(channel === 0 ? value : value * sign, (index * channels + channel) * 2)
    }
  }
  return bytes
}

t.test('whatever the rate, a packet is as long as it was and sounds as it did', async (t) => {
  for (const rate of [8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]) {
    for (const channels of [1, 2]) {
      const decoder = new LinearDecoder(rate, channels)
      const bytes = payload(rate, channels)
      t.equal(decoder.decode(bytes, 0, bytes.length), 160)
      const { density } = decoder
      const samples = new Int16Array(decoder.bytes.slice().buffer).subarray(0, 160 * density)
      t.ok(toneShare(samples, 1000, 8000 * density) > 0.99, `${rate}/${channels}`)
    }
  }
})

t.test('two channels are heard as one', async (t) => {
  const decoder = new LinearDecoder(8000, 2)
  const bytes = payload(8000, 2, -1)
  t.equal(decoder.decode(bytes, 0, bytes.length), 160)
  t.ok(decoder.bytes.subarray(0, 320).every((byte) => byte === 0))
})

t.test('too little is comfort noise, too much no packet', async (t) => {
  const decoder = new LinearDecoder(16_000, 1)
  t.equal(decoder.decode(Buffer.alloc(30), 0, 30), 0)
  t.equal(decoder.decode(Buffer.alloc(20_000), 0, 20_000), -1)
})
