import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import installedFfmpeg from '@ffmpeg-installer/ffmpeg'
import { messageOf } from '../../base/tallenne-error.ts'
import { formatFields } from '../table.ts'
import { type OggFacts, readOggFacts } from './ogg-facts.ts'

const run = promisify(execFile)

const DECODED_RATE_HZ = 8000
const FRAME_MS = 20
const MAX_DECODED_BYTES = 64 * 1024 * 1024

/** What a recording's file turned out to be. */
export type FileReading =
  | { readonly kind: 'playable'; readonly facts: OggFacts }
  | { readonly kind: 'broken'; readonly reason: string }

/** Reads a file's pages and has an independent program decode all of it. */
export async function readRecordingFile(file: Uint8Array): Promise<FileReading> {
  const outcome = readOggFacts(file)
  if (outcome.kind === 'wrong') return { kind: 'broken', reason: outcome.reason }
  const complaint = await decodeComplaint(file, outcome.facts.durationMs)
  return complaint === undefined
    ? { kind: 'playable', facts: outcome.facts }
    : { kind: 'broken', reason: complaint }
}

/** What a file says about itself, in lines. */
export function describeFile(facts: OggFacts): string[] {
  const { channels, streams, coupledStreams, mappingFamily, preSkip, inputSampleRateHz } = facts
  const coupling = coupledStreams === 0 ? 'uncoupled' : `${coupledStreams} coupled`
  return formatFields([
    ['container', `Ogg, ${facts.pages} pages, ${facts.isEnded ? 'ended' : 'not ended'}`],
    [
      'channels',
      `${channels} in ${streams} Opus streams, ${coupling} (mapping family ${mappingFamily})`,
    ],
    ['source rate', `${inputSampleRateHz} Hz`],
    ['pre-skip', `${preSkip} samples at 48 kHz (${(preSkip / 48).toFixed(1)} ms)`],
    ['length', `${(facts.durationMs / 1000).toFixed(3)} s`],
    ['size', `${facts.bytes} bytes, ${(facts.bitrateBps / 1000).toFixed(1)} kbit/s`],
  ])
}

async function decodeComplaint(file: Uint8Array, durationMs: number): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'tallenne-demo-'))
  try {
    const path = join(folder, 'recording.opus')
    await writeFile(path, file, { mode: 0o600 })
    // ffmpeg's own Opus decoder of that age stumbles at the end of two uncoupled streams; libopus does not.
    const input = ['-nostdin', '-v', 'error', '-c:a', 'libopus', '-i', path]
    const output = ['-ac', '1', '-ar', String(DECODED_RATE_HZ), '-f', 's16le', '-']
    const { stdout, stderr } = await run(installedFfmpeg.path, [...input, ...output], {
      encoding: 'buffer',
      maxBuffer: MAX_DECODED_BYTES,
    })
    const said = stderr.toString('utf8').trim()
    if (said !== '') return `ffmpeg says: ${said.split('\n')[0]}`
    const decodedMs = (stdout.length / 2 / DECODED_RATE_HZ) * 1000
    if (Math.abs(decodedMs - durationMs) <= 2 * FRAME_MS) return undefined
    return `it says ${Math.round(durationMs)} ms and decodes to ${Math.round(decodedMs)} ms`
  } catch (error) {
    return `ffmpeg does not decode it: ${messageOf(error).split('\n')[0]}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
