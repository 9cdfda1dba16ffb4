import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import prism from 'prism-media'
import t from 'tap'
import { oggCrc } from '../../recorder/ogg-crc.ts'
import { OggOpusWriter } from '../../recorder/ogg-opus-writer.ts'
import { isOggPageWhole, oggLacing, readOggHeader } from '../../recorder/ogg-page.ts'
import { createVoiceEncoder, encodeSilence } from '../../recorder/opus-encoder.ts'
import {
  FRAMING_BYTES,
  GUARD_BYTES,
  writeGuarded,
  writeSelfDelimited,
} from '../../recorder/opus-packet.ts'
import { MemorySink } from './memory-sink.ts'
import { decodeOpus, decodeWithFfmpeg, opusInfo } from './opus-file.ts'
import { tone } from './tones.ts'

function writer(sink: MemorySink, slotsPerPage = 15, silence?: Uint8Array): OggOpusWriter {
  return new OggOpusWriter({
    sink,
    silence,
    serial: 0xfedcba98,
    comments: ['RECORDING_ID=r1'],
    inputSampleRate: 8000,
    slotsPerPage,
  })
}

async function packetsOf({ bytes }: MemorySink): Promise<Buffer[]> {
  const demuxer = new prism.opus.OggDemuxer()
  demuxer.end(bytes)
  const packets: Buffer[] = []
  for await (const packet of demuxer) packets.push(packet)
  return packets
}

/** A file of so many samples at 8 kHz. */
function recorded(samples: number): MemorySink {
  const sink = new MemorySink()
  const file = writer(sink)
  const encoders = [500, 900].map((hertz) => {
    const encoder = createVoiceEncoder({ complexity: 0, bitrateBps: 16_000 })
    return (slot: number) => encoder.encode(Buffer.from(tone(hertz, slot * 160, 160).buffer))
  })
  for (let slot = 0; slot < OggOpusWriter.slotsFor(samples * 6); slot++) {
    file.append(encoders[0]?.(slot) ?? Buffer.of(8), encoders[1]?.(slot) ?? Buffer.of(8))
  }
  file.finish(samples * 6)
  return sink
}

t.test('a file of any length is exactly as long as told', async (t) => {
  for (const samples of [1, 79, 108, 109, 160, 4000, 12_345, 16_000]) {
    const { caller, agent } = decodeOpus(recorded(samples).bytes)
    t.same([caller.length, agent.length], [samples * 6, samples * 6])
  }
})

t.test('independent readers find nothing wrong', async (t) => {
  const { bytes } = recorded(24_000)
  const info = opusInfo(bytes)
  t.notMatch(info, /WARNING|ERROR/i)
  t.match(info, /RECORDING_ID=r1/)
  t.match(info, /Playback length: 0m:03\.000s/)
  t.match(info, /Pre-skip: 312/)
  const path = join(t.testdir(), 'file.opus')
  writeFileSync(path, bytes)
  const probe = execFileSync(
    'ffprobe',
    [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_name,channels:format=duration',
      '-of',
      'json',
      path,
    ],
    { encoding: 'utf8' },
  )
  t.match(JSON.parse(probe), {
    streams: [{ codec_name: 'opus', channels: 2 }],
    format: { duration: /^3\.0/ },
  })
})

t.test('an Ogg reader finds one packet for each slot', async (t) => {
  const packets = await packetsOf(recorded(16_000))
  t.equal(packets.length, OggOpusWriter.slotsFor(96_000))
})

t.test('pages follow the rules of RFC 7845', async (t) => {
  const { pages } = recorded(16_000)
  const headers = pages.map((page) => {
    t.ok(isOggPageWhole(page, 0, page.length))
    const header = readOggHeader(page, 0)
    if (typeof header === 'string') throw new Error(header)
    t.equal(header.pageBytes, page.length)
    return header
  })
  t.same(
    headers.map(({ sequence }) => sequence),
    headers.map((_, index) => index),
  )
  t.ok(headers.every(({ serial }) => serial === 0xfedcba98))
  t.same(
    headers.map(({ headerType }) => headerType),
    [2, ...Array(headers.length - 2).fill(0), 4],
  )
  t.same(
    headers.slice(0, 4).map(({ granulePosition48k }) => granulePosition48k),
    [0, 0, 15 * 960, 30 * 960],
  )
  t.equal(headers.at(-1)?.granulePosition48k, 312 + 96_000)
})

t.test('packets of any size are laced and delimited so that they are found again', async (t) => {
  for (const bytes of [1, 2, 127, 252, 253, 254, 255, 256, 509, 510, 511, 765, 1275]) {
    const packet = Uint8Array.from({ length: bytes }, (_, index) =>
      index === 0 ? 8 : index & 0xff,
    )
    const room = new Uint8Array(bytes + 2)
    const end = writeSelfDelimited(packet, room, 0)
    const first = room[1] ?? 0
    const told = first < 252 ? first : first + 4 * (room[2] ?? 0)
    t.equal(told, bytes - 1)
    t.same(room.subarray(end - told, end), packet.subarray(1))
    const lacing = oggLacing(bytes)
    t.equal(
      lacing.reduce((sum, value) => sum + value, 0),
      bytes,
    )
    t.ok((lacing.at(-1) ?? 255) < 255)
  }
})

/** A packet as the first channel's is written. */
function guarded(packet: Uint8Array) {
  const room = new Uint8Array(packet.length + FRAMING_BYTES + GUARD_BYTES).fill(0xee)
  return room.subarray(0, writeGuarded(packet, room, 0))
}

t.test('two zeros stand behind a SILK frame of the first channel, and no other', async (t) => {
  t.same(guarded(Uint8Array.of(0x08, 7, 9)), Uint8Array.of(0x0b, 0x41, 2, 2, 7, 9, 0, 0))
  const long = Uint8Array.from({ length: 301 }, (_, index) => (index === 0 ? 0x58 : index & 0xff))
  t.same(guarded(long).subarray(0, 6), Uint8Array.of(0x5b, 0x41, 2, 252, 12, 1))
  t.same(guarded(long).subarray(-3), Uint8Array.of(300 & 0xff, 0, 0))
  for (const toc of [0x60, 0x78, 0xa0, 0xf8]) {
    t.same(guarded(Uint8Array.of(toc, 7, 9)), Uint8Array.of(toc, 2, 7, 9))
  }
})

t.test('what both channels hold sounds the same in both, in every decoder', async (t) => {
  const sink = new MemorySink()
  const opus = { complexity: 3, bitrateBps: 24_000 }
  const silence = encodeSilence(opus)
  const file = writer(sink, 15, silence)
  const encoder = createVoiceEncoder(opus)
  const slots = 2000
  for (let slot = 0; slot < slots; slot++) {
    // Of a packet in 256 the encoder drops a last byte of zero.
    const hertz = 400 + 37 * (Math.floor(slot / 5) % 61)
    const packet =
      slot % 50 < 40 ? encoder.encode(Buffer.from(tone(hertz, slot * 160, 160).buffer)) : silence
    file.append(packet, packet)
  }
  file.finish((slots - 1) * 960)
  for (const { caller, agent } of [decodeWithFfmpeg(sink.bytes), decodeOpus(sink.bytes)]) {
    t.ok(caller.length > (slots - 2) * 960)
    const differs = caller.findIndex((sample, index) => sample !== agent[index])
    t.equal(differs, -1)
  }
})

t.test('a packet of several frames is not what the writer takes', async (t) => {
  for (const write of [writeSelfDelimited, writeGuarded]) {
    t.throws(() => write(Uint8Array.of(0x0b, 2, 0, 0), new Uint8Array(12), 0), RangeError)
  }
})

t.test(
  'a page that is ended leaves the newest slot to the next, and changes nothing else',
  async (t) => {
    const packet = (slot: number) => Uint8Array.of(8, slot, slot)
    const [whole, ended] = [new MemorySink(), new MemorySink()]
    const files = [writer(whole, 50), writer(ended, 50)] as const
    for (let slot = 0; slot < 23; slot++) {
      for (const file of files) file.append(packet(slot), packet(100 + slot))
      if (slot % 5 === 4) files[1].endPage()
    }
    files[1].endPage()
    files[1].endPage()
    t.same(
      ended.pages.slice(2).map((page) => Number(Buffer.from(page).readBigInt64LE(6)) / 960),
      [4, 9, 14, 19, 22],
    )
    for (const file of files) file.finish(23 * 960 - 312)
    t.same(await packetsOf(ended), await packetsOf(whole))
    t.equal(ended.pages.at(-1)?.[5], 4, 'the last page carries the end of the stream')
  },
)

t.test('large packets end a page before it overflows', async (t) => {
  const sink = new MemorySink()
  const file = writer(sink, 1000)
  const packet = new Uint8Array(1275).fill(1)
  packet[0] = 8
  for (let slot = 0; slot < 200; slot++) file.append(packet, packet)
  file.finish(200 * 960 - 312)
  const packets = await packetsOf(sink)
  t.same(
    packets.map(({ length }) => length),
    Array(200).fill(1275 + FRAMING_BYTES + GUARD_BYTES + 1275),
  )
})

t.test('the checksum is that of RFC 3533, in one piece or several', async (t) => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => (index * 7) & 0xff)
  const whole = oggCrc(bytes)
  for (const cut of [0, 1, 3, 4, 500, 999]) {
    t.equal(oggCrc(bytes, oggCrc(bytes, 0, 0, cut), cut), whole)
  }
  t.equal(oggCrc(Buffer.from('123456789', 'latin1')), 0x89a1897f)
})
