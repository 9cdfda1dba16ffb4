import { g711Table } from './g711.ts'
import { SAMPLE_RATE } from './sample-clock.ts'

export type SoundReading =
  | { readonly kind: 'sound'; readonly samples: Int16Array }
  | { readonly kind: 'unreadable'; readonly problem: string }

/** Ten minutes of 16-bit samples: nobody listens to a longer announcement. */
export const LONGEST_SOUND_BYTES = 10 * 60 * SAMPLE_RATE * 2

const LINEAR = 1
const A_LAW = 6
const MU_LAW = 7

/**
 * Reads a WAV file of one channel at 8 kHz: 16-bit linear, A-law or µ-law. Other chunks are passed over, and a file
 * that is cut short gives what it has. Never throws.
 */
export function readSoundFile(file: Buffer): SoundReading {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    return unreadable('it is no WAV file')
  }
  let format: { readonly codec: number; readonly bits: number } | undefined
  for (let at = 12; at + 8 <= file.length; ) {
    const name = file.toString('latin1', at, at + 4)
    const size = file.readUInt32LE(at + 4)
    const chunk = file.subarray(at + 8, Math.min(file.length, at + 8 + size))
    if (name === 'fmt ') {
      if (chunk.length < 16) return unreadable('its format is cut short')
      const channels = chunk.readUInt16LE(2)
      const rate = chunk.readUInt32LE(4)
      if (channels !== 1 || rate !== SAMPLE_RATE) {
        return unreadable(`it has ${channels} channels at ${rate} Hz, not one at ${SAMPLE_RATE} Hz`)
      }
      format = { codec: chunk.readUInt16LE(0), bits: chunk.readUInt16LE(14) }
    }
    if (name === 'data') return readSamples(chunk, format)
    // Chunks are padded to an even length.
    at += 8 + size + (size % 2)
  }
  return unreadable('it holds no sound')
}

function readSamples(
  bytes: Buffer,
  format: { readonly codec: number; readonly bits: number } | undefined,
): SoundReading {
  if (bytes.length === 0) return unreadable('it holds no sound')
  if (bytes.length > LONGEST_SOUND_BYTES) return unreadable('it is longer than ten minutes')
  if (format?.codec === LINEAR && format.bits === 16) {
    const samples = new Int16Array(bytes.length >> 1)
    for (let index = 0; index < samples.length; index++)
      samples[index] = bytes.readInt16LE(index * 2)
    return { kind: 'sound', samples }
  }
  if (format?.codec === A_LAW || format?.codec === MU_LAW) {
    const table = g711Table(format.codec === A_LAW ? 'PCMA' : 'PCMU')
    return { kind: 'sound', samples: Int16Array.from(bytes, (byte) => table[byte] ?? 0) }
  }
  return unreadable(
    `its coding is ${format?.codec ?? 'not told'}, not 16-bit linear, A-law or µ-law`,
  )
}

function unreadable(problem: string): SoundReading {
  return { kind: 'unreadable', problem }
}
