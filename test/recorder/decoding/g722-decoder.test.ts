import { execFileSync } from 'node:child_process'
import t from 'tap'
import { G722Decoder } from '../../../recorder/decoding/g722-decoder.ts'

const FFMPEG = ['-loglevel', 'error']

/** Three seconds of tones and noise, the last at full scale, as ffmpeg codes them. */
function encoded(): Buffer {
  const tone = 'sine=frequency=440:sample_rate=16000,volume=4[tone]'
  const noise = 'anoisesrc=r=16000:a=0.6:seed=3[noise]'
  return execFileSync(
    'ffmpeg',
    [
      ...FFMPEG,
      '-filter_complex',
      `${tone};${noise};[tone][noise]amix`,
      '-t',
      '3',
      '-c:a',
      'g722',
      '-f',
      'g722',
      '-',
    ],
    { maxBuffer: 2 ** 24 },
  )
}

t.test('G.722 is decoded bit by bit as ffmpeg does', async (t) => {
  const packets = encoded()
  t.equal(packets.length, 24_000)
  const wanted = execFileSync('ffmpeg', [...FFMPEG, '-f', 'g722', '-i', '-', '-f', 's16le', '-'], {
    input: packets,
    maxBuffer: 2 ** 24,
  })
  const decoder = new G722Decoder()
  const parts: Uint8Array[] = []
  for (let at = 0; at < packets.length; at += 160) {
    t.equal(decoder.decode(packets, at, 160), 160)
    parts.push(decoder.bytes.slice(0, 640))
  }
  t.ok(Buffer.concat(parts).equals(wanted))
})

t.test('less than a millisecond is comfort noise, more than 200 ms no packet', async (t) => {
  const decoder = new G722Decoder()
  t.equal(decoder.decode(Buffer.alloc(7), 0, 7), 0)
  t.equal(decoder.decode(Buffer.alloc(1601), 0, 1601), -1)
})
