import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { g711Table } from '../recorder/g711.ts'

const PACKET = 160
const TURN_SAMPLES = 25_600

/** What the caller and the agent send, µ-law at 8 kHz, equally long and whole packets. */
export type PartyAudio = readonly [Uint8Array, Uint8Array]

/** Both parties talk without a pause: the voices of the demonstration, each party's turns one after the other. */
export function continuousSpeech(voicesPath: string): PartyAudio {
  const [caller, agent] = [voiceOf(voicesPath, 'caller'), voiceOf(voicesPath, 'agent')]
  const length = PACKET * Math.floor((30 * 8000) / PACKET)
  return [repeatTo(caller, length), repeatTo(agent, length)]
}

/** The parties take turns of 3.2 s; who listens is a line with noise near -60 dBm0, as analogue lines are. */
export function conversation(voicesPath: string): PartyAudio {
  const [caller, agent] = continuousSpeech(voicesPath)
  return [withTurns(caller, 0), withTurns(agent, 1)]
}

/** µ-law as linear samples. */
export function decoded(audio: Uint8Array): Int16Array {
  const table = g711Table('PCMU')
  return Int16Array.from(audio, (code) => table[code] ?? 0)
}

function withTurns(speech: Uint8Array, parity: 0 | 1): Uint8Array {
  const length = 8 * TURN_SAMPLES
  const spoken = repeatTo(speech, length)
  let state = 1 + parity
  return spoken.map((code, sample) => {
    if (Math.floor(sample / TURN_SAMPLES) % 2 === parity) return code
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    // The four quietest steps of either sign: at most ±24 of 32,124.
    return 0xff - ((state >>> 24) & 3) - ((state >>> 23) & 1) * 0x80
  })
}

function voiceOf(voicesPath: string, who: string): Uint8Array {
  const files = readdirSync(voicesPath).filter((file) => file.endsWith(`-${who}.ulaw`))
  return Buffer.concat(files.sort().map((file) => readFileSync(join(voicesPath, file))))
}

function repeatTo(audio: Uint8Array, length: number): Uint8Array {
  const repeated = new Uint8Array(length)
  for (let at = 0; at < length; at += audio.length) {
    repeated.set(audio.subarray(0, Math.min(audio.length, length - at)), at)
  }
  return repeated
}
