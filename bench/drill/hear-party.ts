import { LOOP_PACKETS, PACKET_SAMPLES, readTone, toneOf } from './tone-code.ts'

export const PACKET_MS = 20
/** The audio of a packet may lie between two of its length: so finely the best cut is looked for, in samples. */
const CUT = 40

/** One channel of a recording. */
export interface HeardAudio {
  /** Linear, 8 kHz. */
  readonly samples: Int16Array
  /** When its first sample was spoken, by the recording's row: epoch milliseconds. */
  readonly startedAtMs: number
}

/** What a party sent: a packet every 20 ms of its tone code. */
export interface SentAudio {
  readonly party: number
  readonly startedAtMs: number
  readonly packets: number
}

/**
 * Listens to the recordings of one party for what it sent, and returns for each packet whether it can be heard where
 * it should be. A recording of somebody else's audio holds none of it.
 */
export function hearParty(sent: SentAudio, recordings: readonly HeardAudio[]): boolean[] {
  const heard = new Array<boolean>(sent.packets).fill(false)
  for (const recording of recordings) {
    const { tones, first } = align(sent, recording)
    for (const [index, tone] of tones.entries()) {
      const packet = first + index
      if (packet < 0 || packet >= sent.packets) continue
      heard[packet] ||= tone === toneOf(sent.party, packet)
    }
  }
  return heard.map((isHeard, packet) => isHeard || isBlurred(sent.party, packet, heard))
}

/**
 * Where one tone follows another, the last packet of the one and the first of the other may sound like both, or like
 * neither, where the recording is cut otherwise than it was sent. They count where what is around them is heard.
 */
function isBlurred(party: number, packet: number, heard: readonly boolean[]): boolean {
  const own = toneOf(party, packet)
  const isLast = toneOf(party, packet + 1) !== own
  const isFirst = toneOf(party, packet - 1) !== own
  if (!isLast && !isFirst) return false
  const [before, after] = isLast ? [packet - 1, packet + 2] : [packet - 2, packet + 1]
  return heard[before] !== false && heard[after] !== false
}

/** A stretch of what a party sent that cannot be heard, milliseconds. */
export interface LostStretch {
  readonly atMs: number
  readonly lengthMs: number
}

/** In their order. */
export function lostStretches(heard: readonly boolean[]): readonly LostStretch[] {
  const stretches: LostStretch[] = []
  let begin: number | undefined
  for (const [packet, isHeard] of [...heard, true].entries()) {
    if (!isHeard) begin ??= packet
    else if (begin !== undefined) {
      stretches.push({ atMs: begin * PACKET_MS, lengthMs: (packet - begin) * PACKET_MS })
      begin = undefined
    }
  }
  return stretches
}

/** Cuts a recording into packets, and says which of those sent the first of them is. */
function align(
  sent: SentAudio,
  recording: HeardAudio,
): { readonly tones: readonly number[]; readonly first: number } {
  let best: { tones: readonly number[]; place: number; matches: number } = {
    tones: [],
    place: 0,
    matches: -1,
  }
  for (let cut = 0; cut < PACKET_SAMPLES; cut += CUT) {
    const tones = readTones(recording.samples.subarray(cut))
    for (let place = 0; place < LOOP_PACKETS; place++) {
      const matches = tones.filter(
        (tone, index) => tone === toneOf(sent.party, place + index),
      ).length
      if (matches > best.matches) best = { tones, place, matches }
    }
  }
  // The clock says which time round it was.
  const expected = (recording.startedAtMs - sent.startedAtMs) / PACKET_MS
  const rounds = Math.round((expected - best.place) / LOOP_PACKETS)
  return { tones: best.tones, first: best.place + rounds * LOOP_PACKETS }
}

/** The last packet may be short of what the best cut is off by. */
function readTones(samples: Int16Array): number[] {
  const tones: number[] = []
  for (let from = 0; from + PACKET_SAMPLES - CUT <= samples.length; from += PACKET_SAMPLES) {
    tones.push(readTone(samples.subarray(from, from + PACKET_SAMPLES)))
  }
  return tones
}
