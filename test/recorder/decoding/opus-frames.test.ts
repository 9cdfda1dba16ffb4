import fc from 'fast-check'
import prism from 'prism-media'
import t from 'tap'
import { OpusPayloadDecoder } from '../../../recorder/decoding/opus-decoder.ts'
import {
  opusFrameCount,
  opusFrameSamples,
  splitOpusPacket,
} from '../../../recorder/decoding/opus-frames.ts'

/** SILK at 16 kHz, frames of 20 ms, mono. */
const TOC = 9 << 3

const bytes = (length: number, value: number) => Buffer.alloc(length, value)
const frames = (packet: Uint8Array) =>
  splitOpusPacket(packet).map(({ toc, frame }) => [toc, frame.length, frame[0]])

t.test('frames are as long as their configuration says', async (t) => {
  const ms = (config: number) => opusFrameSamples(config << 3) / 8
  t.same([0, 1, 2, 3].map(ms), [10, 20, 40, 60])
  t.same([12, 13, 14, 15].map(ms), [10, 20, 10, 20])
  t.same([16, 17, 18, 19, 28, 31].map(ms), [2.5, 5, 10, 20, 2.5, 20])
})

t.test('a packet of any code is taken apart into its frames', async (t) => {
  t.same(frames(Buffer.of(TOC, 7, 7)), [[TOC, 2, 7]])
  t.same(frames(Buffer.concat([Buffer.of(TOC | 1), bytes(3, 1), bytes(3, 2)])), [
    [TOC, 3, 1],
    [TOC, 3, 2],
  ])
  const long = Buffer.concat([Buffer.of(TOC | 2, 252, 12), bytes(300, 1), bytes(4, 2)])
  t.same(frames(long), [
    [TOC, 300, 1],
    [TOC, 4, 2],
  ])
  const constant = Buffer.concat([Buffer.of(TOC | 3, 3), bytes(2, 1), bytes(2, 2), bytes(2, 3)])
  t.same(frames(constant), [
    [TOC, 2, 1],
    [TOC, 2, 2],
    [TOC, 2, 3],
  ])
  const padded = Buffer.concat([
    Buffer.of(TOC | 3, 0xc0 | 2, 5, 1),
    bytes(1, 1),
    bytes(6, 2),
    bytes(5, 0),
  ])
  t.same(frames(padded), [
    [TOC, 1, 1],
    [TOC, 6, 2],
  ])
})

t.test('what does not fit is no packet', async (t) => {
  const wrong = [
    Buffer.alloc(0),
    Buffer.of(TOC | 1, 1, 2, 3),
    Buffer.of(TOC | 2, 9, 1),
    Buffer.of(TOC | 2),
    Buffer.of(TOC | 3, 0),
    Buffer.of(TOC | 3, 7, 1, 1, 1, 1, 1, 1, 1),
    Buffer.of(TOC | 3, 2, 1, 1, 1),
    Buffer.concat([Buffer.of(TOC), bytes(1276, 1)]),
  ]
  for (const packet of wrong) t.same(frames(packet), [])
})

t.test('nothing that comes breaks the decoder', async (t) => {
  const decoder = new OpusPayloadDecoder()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (payload) => {
      const packet = Buffer.from(payload)
      const length = decoder.decode(packet, 0, packet.length)
      const whole = opusFrameCount(packet) * opusFrameSamples(packet[0] ?? 0)
      return length <= 0 || (length === whole && decoder.bytes.length >= length * 4)
    }),
  )
  t.equal(decoder.decode(Buffer.of(TOC), 0, 1), 0)
  t.equal(decoder.decode(Buffer.of(TOC | 3, 0, 0, 0), 0, 4), -1)
})

t.test('what libopus makes can be stored where its frames are 20 ms long', async (t) => {
  const packetOf = (ms: number) =>
    new prism.opus.Encoder({ rate: 16_000, channels: 1, frameSize: ms * 16 }).encoder.encode(
      Buffer.alloc(ms * 32, 3),
    )
  const decoder = new OpusPayloadDecoder()
  for (const ms of [10, 20, 40, 60]) {
    const packet = Buffer.from(packetOf(ms))
    t.equal(decoder.decode(packet, 0, packet.length), ms * 8)
    const isStorable = opusFrameSamples(packet[0] ?? 0) === 160
    t.equal(decoder.opus?.length, isStorable ? ms / 20 : undefined, `${ms} ms`)
  }
})
