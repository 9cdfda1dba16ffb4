import fc from 'fast-check'
import t from 'tap'
import { readRedundantBlocks } from '../../recorder/decoding/redundant-payload.ts'
import { decodeOpus } from './opus-file.ts'
import { RecordingRig, streamPlan } from './recording-rig.ts'
import { rtp } from './rtp.ts'
import { toneBytes, toneShare } from './tones.ts'

interface Block {
  readonly payloadType: number
  readonly timestampOffset?: number
  readonly bytes: Uint8Array
}

/** A payload with redundancy (RFC 2198 §3): the blocks before, and the primary one. */
function red(before: readonly Block[], primary: Block): Buffer {
  const headers = before.map(({ payloadType, timestampOffset = 0, bytes }) => {
    const header = Buffer.alloc(4)
    header.writeUInt32BE(
      ((0x80 | payloadType) * 2 ** 24 + timestampOffset * 2 ** 10 + bytes.length) >>> 0,
    )
    return header
  })
  const blocks = before.map(({ bytes }) => bytes)
  return Buffer.concat([...headers, Buffer.of(primary.payloadType), ...blocks, primary.bytes])
}

t.test('the blocks of a payload are told apart', async (t) => {
  const payload = red(
    [
      { payloadType: 0, timestampOffset: 320, bytes: Buffer.alloc(160) },
      { payloadType: 9, timestampOffset: 160, bytes: Buffer.alloc(1) },
    ],
    { payloadType: 8, bytes: Buffer.alloc(80) },
  )
  t.same(readRedundantBlocks(payload), [
    { payloadType: 0, timestampOffset: 320, offset: 9, length: 160 },
    { payloadType: 9, timestampOffset: 160, offset: 169, length: 1 },
    { payloadType: 8, timestampOffset: 0, offset: 170, length: 80 },
  ])
  for (let length = 0; length < 170; length++) {
    t.equal(readRedundantBlocks(payload.subarray(0, length)), undefined)
  }
})

t.test('whatever comes is blocks within it, or none', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (payload) => {
      const blocks = readRedundantBlocks(payload)
      return (blocks ?? []).every(
        ({ offset, length }) => length >= 0 && offset + length <= payload.length,
      )
    }),
  )
})

t.test('what is lost is repaired from the packets after it', async (t) => {
  const plan = streamPlan('caller', { redundantPayloadTypes: [121] })
  const rig = new RecordingRig(t, [plan, streamPlan('agent')])
  rig.answer()
  const block = (index: number, timestampOffset = 0) => ({
    payloadType: 0,
    timestampOffset,
    bytes: toneBytes(440, index * 160, 160),
  })
  let index = 0
  const isLost = () => index > 10 && index < 90 && index % 5 < 2
  rig.run(2000, () => {
    const before = [block(index - 2, 320), block(index - 1, 160)].slice(Math.max(0, 2 - index))
    const payload = red(before, block(index))
    const fields = { payloadType: 121, sequenceNumber: 100 + index, timestamp: index * 160 }
    if (!isLost()) rig.receive('caller', rtp({ ...fields, payload }))
    index++
  })
  const outcome = await rig.finish()
  t.match(outcome, { verdict: 'complete', lostMs: 0 })
  t.match(outcome.streams[0], { placed: 69, repaired: 31, lostPackets: 31, reanchored: 0 })
  const { caller } = decodeOpus(rig.sink.bytes)
  for (let at = 4800; at + 4800 < caller.length; at += 4800) {
    t.ok(toneShare(caller.subarray(at, at + 4800), 440, 48_000) > 0.9)
  }
})

t.test('a block of nothing that was agreed on is no audio', async (t) => {
  const plan = streamPlan('caller', { redundantPayloadTypes: [121] })
  const rig = new RecordingRig(t, [plan, streamPlan('agent')])
  rig.answer()
  const nested = red([], {
    payloadType: 121,
    bytes: red([], { payloadType: 0, bytes: Buffer.alloc(160) }),
  })
  const unknown = red([], { payloadType: 99, bytes: Buffer.alloc(160) })
  for (const [index, payload] of [nested, unknown, Buffer.of(0x80), Buffer.alloc(0)].entries()) {
    rig.receive(
      'caller',
      rtp({ payloadType: 121, sequenceNumber: index, timestamp: index * 160, payload }),
    )
  }
  const outcome = await rig.finish()
  t.match(outcome.streams[0], { placed: 0, undecodable: 3, keepAlive: 1 })
})
