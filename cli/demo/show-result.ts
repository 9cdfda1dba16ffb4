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

/** What a recording's file turned out to be. */
export type FileReading =
  | { readonly kind: 'playable'; readonly facts: OggFacts }
  | { readonly kind: 'broken'; readonly reason: string }

/** Reads a file's pages and has an independent program decode all of it. */
export async function readRecordingFile(file: Uint8Array): Promise<FileReading> {
  const outcome = readOggFacts(file)
  if (outcome.kind === 'wrong') return { kind: 'broken', reason: outcome.reason }
  const complaint = await decodeComplaint(file)
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

async function decodeComplaint(file: Uint8Array): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'tallenne-demo-'))
  try {
    const path = join(folder, 'recording.opus')
    await writeFile(path, file, { mode: 0o600 })
    const line = ['-nostdin', '-v', 'error', '-i', path, '-f', 'null', '-']
    const { stderr } = await run(installedFfmpeg.path, line)
    return stderr.trim() === '' ? undefined : `ffmpeg says: ${stderr.trim().split('\n')[0]}`
  } catch (error) {
    return `ffmpeg does not decode it: ${messageOf(error).split('\n')[0]}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
