import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ffmpeg from '@ffmpeg-installer/ffmpeg'

/** The two channels of an Ogg Opus file as opusdec, an independent decoder, renders them. */
export interface DecodedFile {
  readonly rate: number
  readonly caller: Int16Array
  readonly agent: Int16Array
}

/** Decodes at 48 kHz, so that the length is exact to the sample. */
export function decodeOpus(file: Uint8Array, rate = 48_000): DecodedFile {
  return withFile(file, (path, folder) => {
    const out = join(folder, 'out.raw')
    execFileSync('opusdec', ['--quiet', '--rate', `${rate}`, '--no-dither', path, out], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    return { rate, ...channelsOf(readFileSync(out)) }
  })
}

/** As ffmpeg's own decoder renders them, and with it who transcribes or converts: the shipped one, at 48 kHz. */
export function decodeWithFfmpeg(file: Uint8Array): Omit<DecodedFile, 'rate'> {
  const options = { input: file, maxBuffer: 1 << 28 }
  const words = ['-loglevel', 'fatal', '-i', 'pipe:0', '-f', 's16le', 'pipe:1']
  return channelsOf(execFileSync(ffmpeg.path, words, options))
}

function channelsOf(raw: Uint8Array): Omit<DecodedFile, 'rate'> {
  const all = new Int16Array(raw.buffer, raw.byteOffset, raw.byteLength >> 1)
  return {
    caller: all.filter((_, index) => index % 2 === 0),
    agent: all.filter((_, index) => index % 2 === 1),
  }
}

/** What opusinfo says of a file; throws where it finds it broken. */
export function opusInfo(file: Uint8Array): string {
  return withFile(file, (path) => execFileSync('opusinfo', [path], { encoding: 'utf8' }))
}

function withFile<Result>(file: Uint8Array, read: (path: string, folder: string) => Result) {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-opus-'))
  try {
    const path = join(folder, 'in.opus')
    writeFileSync(path, file)
    return read(path, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
