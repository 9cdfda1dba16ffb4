import t from 'tap'
import { hearParty, type LostStretch, lostStretches } from '../../../bench/drill/hear-party.ts'
import {
  LOOP_PACKETS,
  PACKET_SAMPLES,
  readTone,
  toneCode,
  toneOf,
} from '../../../bench/drill/tone-code.ts'
import { g711Table } from '../../../recorder/g711.ts'

const SENT_AT_MS = 1_000_000
const PACKETS = 400

/** What a party sends, linear, from one packet up to another. */
function spoken(party: number, from: number, until: number): Int16Array {
  const table = g711Table('PCMU')
  const code = toneCode(party)
  const samples = new Int16Array((until - from) * PACKET_SAMPLES)
  for (let at = 0; at < samples.length; at++) {
    samples[at] = table[code[(from * PACKET_SAMPLES + at) % code.length] ?? 0] ?? 0
  }
  return samples
}

function sent(party: number) {
  return { party, startedAtMs: SENT_AT_MS, packets: PACKETS }
}

function allOf(stretches: readonly LostStretch[]): number {
  return stretches.reduce((sum, { lengthMs }) => sum + lengthMs, 0)
}

t.test('every packet of every party holds the tone that its place has', async (t) => {
  for (const party of [0, 1, 29, 30, 31, 121]) {
    const audio = spoken(party, 0, LOOP_PACKETS)
    const tones = Array.from({ length: LOOP_PACKETS }, (_, packet) =>
      readTone(audio.subarray(packet * PACKET_SAMPLES, (packet + 1) * PACKET_SAMPLES)),
    )
    t.same(
      tones,
      tones.map((_, packet) => toneOf(party, packet)),
    )
  }
})

t.test('a recording that holds all is heard whole, wherever its first packet lies', async (t) => {
  const audio = spoken(4, 0, PACKETS)
  for (const silence of [0, 40, 1000, 8001]) {
    const samples = new Int16Array(silence + audio.length)
    samples.set(audio, silence)
    const startedAtMs = SENT_AT_MS - silence / 8
    t.same(lostStretches(hearParty(sent(4), [{ samples, startedAtMs }])), [])
  }
})

t.test('the last packet is heard where no cut is exact', async (t) => {
  const audio = spoken(4, 0, PACKETS)
  for (const early of [1, 19, 21, 39]) {
    const heard = hearParty(sent(4), [
      { samples: audio.subarray(early), startedAtMs: SENT_AT_MS + early / 8 },
    ])
    t.same(lostStretches(heard), [])
  }
})

t.test('what is missing is found to the packet', async (t) => {
  const audio = spoken(7, 0, PACKETS)
  // From the second packet of a tone on, so that no end of the gap lies between two tones.
  audio.fill(0, 101 * PACKET_SAMPLES, 119 * PACKET_SAMPLES)
  const heard = hearParty(sent(7), [{ samples: audio, startedAtMs: SENT_AT_MS }])
  t.same(lostStretches(heard), [{ atMs: 2020, lengthMs: 360 }])
})

t.test('two recordings of one call make a whole, but for what lies between them', async (t) => {
  const first = { samples: spoken(3, 0, 151), startedAtMs: SENT_AT_MS }
  const second = { samples: spoken(3, 176, PACKETS), startedAtMs: SENT_AT_MS + 176 * 20 }
  t.same(lostStretches(hearParty(sent(3), [first, second])), [{ atMs: 3020, lengthMs: 500 }])
})

t.test('audio that stands two packets too late is not where it should be', async (t) => {
  const audio = spoken(5, 0, PACKETS)
  const samples = new Int16Array(audio.length + 2 * PACKET_SAMPLES)
  samples.set(audio.subarray(0, 100 * PACKET_SAMPLES))
  samples.set(audio.subarray(100 * PACKET_SAMPLES), 102 * PACKET_SAMPLES)
  const lostMs = allOf(lostStretches(hearParty(sent(5), [{ samples, startedAtMs: SENT_AT_MS }])))
  t.ok(lostMs > 500, `${lostMs} ms`)
})

t.test("another party's audio is not heard as one's own", async (t) => {
  for (const other of [1, 2, 33]) {
    const audio = { samples: spoken(other, 0, PACKETS), startedAtMs: SENT_AT_MS }
    t.ok(allOf(lostStretches(hearParty(sent(0), [audio]))) > 0.9 * PACKETS * 20, `party ${other}`)
  }
})

t.test('a stretch that goes on to the end is told as well', async (t) => {
  t.same(lostStretches([true, false, true, false, false]), [
    { atMs: 20, lengthMs: 20 },
    { atMs: 60, lengthMs: 40 },
  ])
})
