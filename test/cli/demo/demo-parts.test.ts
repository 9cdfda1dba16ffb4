import { join } from 'node:path'
import t from 'tap'
import { readDialogue } from '../../../cli/demo/dialogue.ts'
import { formatLength, formatSight } from '../../../cli/demo/live-line.ts'
import { readOggFacts } from '../../../cli/demo/ogg-facts.ts'

const VOICES = join(import.meta.dirname, '..', '..', '..', '..', 'cli', 'demo', 'voices')

/** A page of one packet of under 255 bytes (RFC 3533 §6), its checksum left out. */
function page(packet: Uint8Array, granulePosition: bigint, flags = 0): Buffer {
  const header = Buffer.alloc(28)
  header.write('OggS')
  header.writeUInt8(flags, 5)
  header.writeBigInt64LE(granulePosition, 6)
  header.writeUInt8(1, 26)
  header.writeUInt8(packet.length, 27)
  return Buffer.concat([header, packet])
}

/** OpusHead of two uncoupled mono streams at 8 kHz (RFC 7845 §5.1). */
function opusHead(): Buffer {
  const head = Buffer.alloc(23)
  head.write('OpusHead')
  head.writeUInt8(1, 8)
  head.writeUInt8(2, 9)
  head.writeUInt16LE(312, 10)
  head.writeUInt32LE(8000, 12)
  head.writeUInt8(1, 18)
  head.writeUInt8(2, 19)
  head.writeUInt8(1, 22)
  return head
}

const file = Buffer.concat([
  page(opusHead(), 0n, 2),
  page(Buffer.from('OpusTags'), 0n),
  page(Buffer.alloc(100), -1n),
  page(Buffer.alloc(100), 48_312n, 4),
])

t.test('a file says what it is', async (t) => {
  t.strictSame(readOggFacts(file), {
    kind: 'read',
    facts: {
      channels: 2,
      preSkip: 312,
      inputSampleRateHz: 8000,
      mappingFamily: 1,
      streams: 2,
      coupledStreams: 0,
      pages: 4,
      durationMs: 1000,
      bytes: file.length,
      bitrateBps: file.length * 8,
      isEnded: true,
    },
  })
})

t.test('a file cut anywhere is read to a whole page, or told to be wrong', async (t) => {
  let whole = 0
  for (let length = 0; length < file.length; length++) {
    const outcome = readOggFacts(file.subarray(0, length))
    if (outcome.kind === 'wrong') continue
    whole++
    t.equal(outcome.facts.isEnded, false)
  }
  t.equal(whole, 3)
  t.match(readOggFacts(Buffer.from('x'.repeat(100))), { kind: 'wrong', reason: /is no page/ })
  t.match(readOggFacts(page(Buffer.from('x'), 0n)), { kind: 'wrong', reason: /OpusHead/ })
})

t.test('the dialogue has both parties speak in turn, for as long', async (t) => {
  const { audio, durationMs } = readDialogue(VOICES)
  const [caller, agent] = audio
  t.equal(caller.length, agent.length)
  t.equal(durationMs, caller.length / 8)
  t.ok(durationMs > 12_000 && durationMs < 20_000, `${durationMs} ms`)
  const silence = (byte: number) => byte === 0xff
  const both = caller.filter((byte, index) => !silence(byte) && !silence(agent[index] ?? 0xff))
  t.equal(both.length, 0)
  t.throws(() => readDialogue('/nowhere'), { code: 'voices_missing' })
})

t.test('a live call is a line with two meters', async (t) => {
  const line = formatSight({ durationMs: 7400, bytes: 10_240, levelsDb: [-100, -30] })
  t.equal(line, '  0:07  caller ················  agent ████████········  10.0 KiB')
  t.equal(formatLength(754_000), '12:34')
})
