import fc from 'fast-check'
import t from 'tap'
import { readRtcp } from '../../recorder/rtcp-reader.ts'
import { writeReceiverReport } from '../../recorder/rtcp-writer.ts'
import { SsrcReception } from '../../recorder/ssrc-reception.ts'

/** A sender report, a source description, a goodbye, and an extended report. */
const COMPOUND = Buffer.from(
  [
    '80c80006 11223344 83aa7e80 80000000 000003e8 00000064 00003e80',
    '81ca0004 11223344 0107 616c6963654078 00 0000',
    '81cb0001 11223344',
    '80cf0001 11223344',
  ]
    .join('')
    .replaceAll(' ', ''),
  'hex',
)

t.test('a compound packet tells what a receiver needs', async (t) => {
  t.same(readRtcp(COMPOUND), {
    senderReport: { ssrc: 0x11223344, ntpMiddle: 0x7e808000, rtpTimestamp: 1000 },
    cname: 'alice@x',
    goodbyes: [0x11223344],
    packets: 4,
    isWhole: true,
  })
})

t.test('a compound packet cut anywhere gives what was whole before the cut', async (t) => {
  const ends = [28, 48, 56, 64]
  for (let cut = 0; cut <= COMPOUND.length; cut++) {
    const facts = readRtcp(COMPOUND.subarray(0, cut))
    const packets = ends.filter((end) => end <= cut).length
    if (facts.packets !== packets || facts.isWhole !== ends.includes(cut)) t.fail(`cut at ${cut}`)
  }
})

t.test('whatever comes is read without an exception', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(255), (bytes, type) => {
      if (bytes.length > 4) {
        bytes[0] = 0x80 | ((bytes[0] ?? 0) & 0x1f)
        bytes[1] = 200 + (type % 8)
        bytes[2] = 0
        bytes[3] = (bytes[3] ?? 0) % 32
      }
      return readRtcp(bytes).packets >= 0
    }),
    { numRuns: 2000 },
  )
})

t.test('a receiver report says what was received, and is read back whole', async (t) => {
  const reception = new SsrcReception(0xaabbccdd)
  for (const sequence of [65_533, 65_534, 65_535, 1, 2, 2]) reception.receive(sequence)
  reception.hear({ ssrc: 0xaabbccdd, ntpMiddle: 0x12345678, rtpTimestamp: 0 }, 1000)
  const report = writeReceiverReport(0x01020304, reception.report(3000), 'a/b+c')
  t.match(readRtcp(report), { cname: 'a/b+c', packets: 2, isWhole: true })
  t.equal(report.readUInt32BE(4), 0x01020304)
  t.equal(report.readUInt32BE(8), 0xaabbccdd)
  t.equal(report[12], Math.floor(256 / 6), 'one of six was lost')
  t.equal(report.readIntBE(13, 3), 1)
  t.equal(report.readUInt32BE(16), 65_538)
  t.equal(report.readUInt32BE(24), 0x12345678)
  t.equal(report.readUInt32BE(28), 2 * 65_536)
  t.equal(reception.report(4000).fractionLost, 0, 'since the last report nothing was')
  t.equal(reception.report(4000).cumulativeLost, 1)
})

t.test('a report before the first packet has no block', async (t) => {
  const report = writeReceiverReport(1, undefined, 'x')
  t.equal(report[0], 0x80)
  t.match(readRtcp(report), { cname: 'x', packets: 2, isWhole: true })
})

t.test('a CNAME of any length ends on a word', async (t) => {
  for (let length = 0; length < 20; length++) {
    const report = writeReceiverReport(1, undefined, 'n'.repeat(length))
    t.equal(report.length % 4, 0)
    t.match(readRtcp(report), { cname: 'n'.repeat(length), isWhole: true })
  }
})
