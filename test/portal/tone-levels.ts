import { execFile } from 'node:child_process'
import { AGENT_HZ, CALLER_HZ } from './two-parties.ts'

const RATE_HZ = 16_000

/** What each channel of an audio file holds of each party's tone, dB below full scale, and its length. */
export interface ToneLevels {
  readonly seconds: number
  readonly left: { readonly callerDb: number; readonly agentDb: number }
  readonly right: { readonly callerDb: number; readonly agentDb: number }
}

/** Decodes a file of any format with the system's ffmpeg, which is not the one that made it, and listens. */
export async function toneLevels(file: Uint8Array): Promise<ToneLevels> {
  const channels = await decodeChannels(file)
  const tones = (samples: Int16Array) => ({
    callerDb: levelDb(samples, CALLER_HZ),
    agentDb: levelDb(samples, AGENT_HZ),
  })
  const { left, right } = channels
  return { seconds: left.length / RATE_HZ, left: tones(left), right: tones(right) }
}

/** The loudest sample of the left channel, of 32767. */
export async function leftPeak(file: Uint8Array): Promise<number> {
  const { left } = await decodeChannels(file)
  return left.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)
}

async function decodeChannels(file: Uint8Array) {
  const pcm = await decode(file)
  const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1)
  const channel = (index: number) => samples.filter((_, position) => position % 2 === index)
  return { left: channel(0), right: channel(1) }
}

function decode(file: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'ffmpeg',
      ['-v', 'error', '-i', 'pipe:0', '-ar', String(RATE_HZ), '-f', 's16le', 'pipe:1'],
      { encoding: 'buffer', maxBuffer: 256 * 1_048_576 },
      (error, stdout) => (error ? reject(error) : resolve(Buffer.from(stdout))),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(file)
  })
}

/** Goertzel's algorithm over the whole, with a Hann window so that one tone does not spill into the other's. */
function levelDb(samples: Int16Array, hertz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / RATE_HZ)
  let last = 0
  let beforeLast = 0
  for (const [index, sample] of samples.entries()) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / samples.length)
    const current = (sample / 32_768) * window + coefficient * last - beforeLast
    beforeLast = last
    last = current
  }
  const power = last * last + beforeLast * beforeLast - coefficient * last * beforeLast
  const amplitude = (4 * Math.sqrt(Math.max(power, 0))) / samples.length
  return 20 * Math.log10(amplitude + 1e-9)
}
