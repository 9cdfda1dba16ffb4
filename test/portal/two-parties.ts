import { OggOpusWriter } from '../../recorder/ogg-opus-writer.ts'
import { createVoiceEncoder, encodeSilence } from '../../recorder/opus-encoder.ts'

/** What each party of a test recording sounds like, Hz. */
export const CALLER_HZ = 440
export const AGENT_HZ = 1500

const RATE_HZ = 8000
const SLOT_SAMPLES = 160

/** A party's Opus packet for a slot. */
type Party = (slot: number) => Uint8Array

/** A recording as the recorder writes it: a tone for each party, the caller's first. */
export function twoParties(seconds: number): Buffer {
  return record(seconds, { caller: tone(CALLER_HZ), agent: tone(AGENT_HZ) })
}

/** A recording of a caller who says nothing, so that packets of silence are written, and an agent who mumbles. */
export function agentAlone(seconds: number): Buffer {
  const nothing = encodeSilence({ complexity: 3, bitrateBps: 16_000 })
  const mumble = mumbling()
  return record(seconds, {
    caller: () => nothing,
    agent: (slot) => (slot % 50 < 18 ? nothing : mumble(slot)),
  })
}

function record(seconds: number, { caller, agent }: { caller: Party; agent: Party }): Buffer {
  const pages: Uint8Array[] = []
  const writer = new OggOpusWriter({
    sink: { write: (page) => void pages.push(page) },
    serial: 1,
    comments: [],
    inputSampleRate: RATE_HZ,
    slotsPerPage: 25,
  })
  const length48k = seconds * 48_000
  for (let slot = 0; slot < OggOpusWriter.slotsFor(length48k); slot++) {
    writer.append(caller(slot), agent(slot))
  }
  writer.finish(length48k)
  return Buffer.concat(pages)
}

/** Whole periods fit a second, so after two the same packets come again: a long recording costs no encoding. */
function tone(hertz: number): Party {
  const radians = (2 * Math.PI * hertz) / RATE_HZ
  const encode = encoded((index) => 8000 * Math.sin(radians * index))
  const packets: Uint8Array[] = []
  return (slot) => {
    const again = packets[50 + (slot % 50)]
    if (again) return again
    const packet = encode(slot)
    packets.push(packet)
    return packet
  }
}

/** Noise that comes and goes, the same in every run. */
function mumbling(): Party {
  let seed = 1
  return encoded((index) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return 300 * (seed / 2 ** 31 - 0.5) * (1 + Math.sin(index / 20))
  })
}

function encoded(sample: (index: number) => number): Party {
  const encoder = createVoiceEncoder({ complexity: 3, bitrateBps: 16_000 })
  return (slot) => {
    const samples = Int16Array.from({ length: SLOT_SAMPLES }, (_, index) =>
      sample(slot * SLOT_SAMPLES + index),
    )
    return encoder.encode(Buffer.from(samples.buffer))
  }
}
