import t from 'tap'
import { OggOpusWriter } from '../../recorder/ogg-opus-writer.ts'
import { createVoiceEncoder } from '../../recorder/opus-encoder.ts'
import { MemorySink } from './memory-sink.ts'
import { decodeOpus } from './opus-file.ts'
import { tone } from './tones.ts'

const SLOT = 160
const OPUS = { complexity: 3, bitrateBps: 24_000 }

/** Packets of a steady tone, which an encoder that predicts describes by what it was before. */
function packetsOfTone(slots: number): Uint8Array[] {
  const encoder = createVoiceEncoder(OPUS)
  return Array.from({ length: slots }, (_, slot) =>
    Uint8Array.from(encoder.encode(Buffer.from(tone(440, slot * SLOT, SLOT).buffer))),
  )
}

function decoded(packets: readonly Uint8Array[]): Int16Array {
  const sink = new MemorySink()
  const file = new OggOpusWriter({
    sink,
    serial: 1,
    comments: [],
    inputSampleRate: 8000,
    slotsPerPage: 15,
  })
  for (const packet of packets) file.append(packet, packet)
  file.finish((packets.length - 1) * SLOT * 6)
  return decodeOpus(sink.bytes, 8000).caller
}

/** Root mean square of what a decoder that never heard the first `from` packets gets wrong of the next ten slots. */
function errorAfterJoining(packets: readonly Uint8Array[], from: number, slotsLater: number) {
  const whole = decoded(packets)
  const joined = decoded(packets.slice(from))
  let sum = 0
  for (let index = 0; index < 10 * SLOT; index++) {
    const at = slotsLater * SLOT + index
    sum += ((whole[from * SLOT + at] ?? 0) - (joined[at] ?? 0)) ** 2
  }
  return Math.sqrt(sum / (10 * SLOT))
}

t.test('whoever begins to listen anywhere hears a tone as it is two slots later', async (t) => {
  const packets = packetsOfTone(100)
  for (const from of [20, 37, 60]) {
    const error = errorAfterJoining(packets, from, 2)
    t.ok(error < 30, `${error.toFixed(1)} from packet ${from} on, of a tone of 5657`)
  }
})
