import { g711Encoding } from '../../recorder/g711.ts'
import { toneCoefficient, toneEnergy } from '../../recorder/goertzel.ts'

/** Samples at 8 kHz of a packet, and of a stretch of one tone: five packets. */
export const PACKET_SAMPLES = 160
const PACKETS_PER_TONE = 5
const TONE_SAMPLES = PACKETS_PER_TONE * PACKET_SAMPLES
/** A prime, so that any step goes through all of them. */
const TONES = 31
/** Packets after which a party's audio begins again. */
export const LOOP_PACKETS = TONES * PACKETS_PER_TONE
const LOWEST_HERTZ = 400
const SPACING_HERTZ = 80
const RATE = 8000
const AMPLITUDE = 6000
/** So much of a packet's energy lies in one tone, unless two meet in it or it is no tone. */
const CLEAR_SHARE = 0.5
const QUIETEST = 200 ** 2 * PACKET_SAMPLES

const COEFFICIENTS = Array.from({ length: TONES }, (_, tone) =>
  toneCoefficient(hertzOf(tone), RATE),
)

/**
 * Which tone a party sends in a packet, counted from its first. Every party goes through the tones in an order of its
 * own, so that what is heard says whose it is and when it was sent. `packet` is -1 or more.
 */
export function toneOf(party: number, packet: number): number {
  const step = 1 + (party % (TONES - 1))
  const first = Math.floor(party / (TONES - 1))
  const stretch = Math.floor((packet + LOOP_PACKETS) / PACKETS_PER_TONE)
  return (first + step * stretch) % TONES
}

/** A party's audio as µ-law at 8 kHz: `LOOP_PACKETS` packets that can follow themselves without a seam. */
export function toneCode(party: number): Uint8Array {
  const encoding = g711Encoding('PCMU')
  return Uint8Array.from({ length: LOOP_PACKETS * PACKET_SAMPLES }, (_, sample) => {
    // Every tone has whole periods in its stretch, so each begins where the one before ended.
    const hertz = hertzOf(toneOf(party, Math.floor(sample / PACKET_SAMPLES)))
    const phase = (2 * Math.PI * hertz * (sample % TONE_SAMPLES)) / RATE
    return encoding[Math.round(AMPLITUDE * Math.sin(phase)) & 0xffff] ?? 0xff
  })
}

/** The tone that a packet's worth of samples holds; -1 where it holds none clearly. */
export function readTone(window: Int16Array): number {
  let whole = 0
  for (const sample of window) whole += sample * sample
  if (whole < QUIETEST) return -1
  let best = -1
  let most = CLEAR_SHARE * whole
  for (const [tone, coefficient] of COEFFICIENTS.entries()) {
    const energy = toneEnergy(window, coefficient)
    if (energy <= most) continue
    most = energy
    best = tone
  }
  return best
}

function hertzOf(tone: number): number {
  return LOWEST_HERTZ + SPACING_HERTZ * tone
}
