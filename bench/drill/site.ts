import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import ffmpeg from '@ffmpeg-installer/ffmpeg'
import { localUrl } from '../../base/address.ts'
import { effectiveConfigPath } from '../../cli/effective-config.ts'
import { loadConfig } from '../../config/load-config.ts'
import type { ContactView, RecordingView } from '../../storage/model.ts'
import { metricValue } from '../../test/metrics-text.ts'
import { RecorderUnderTest } from '../recorder-under-test.ts'
import type { HeardAudio } from './hear-party.ts'

const SAMPLE_RATE = 8000
const CHANNELS = 2
const WAIT_MS = 90_000

/** The parts of an installation that can be struck by themselves. */
export type Part = 'gateway' | 'portal' | 'retention' | 'mariadb'

const COMMAND_OF: Record<Part, string> = {
  gateway: 'gateway/main.js',
  portal: 'portal/main.js',
  retention: 'retention/main.js',
  mariadb: 'mariadbd',
}

/** An installation that drills strike and look at. Owned by one drill. */
export class Site {
  readonly #recorder: RecorderUnderTest
  readonly #gateway: string

  private constructor(recorder: RecorderUnderTest) {
    this.#recorder = recorder
    this.#gateway = localUrl(loadConfig(effectiveConfigPath(recorder.dataPath), {}).http.gateway)
  }

  /** `config` and `elsewhere` as of `RecorderUnderTest`. */
  static async start(
    config?: Readonly<Record<string, unknown>>,
    elsewhere?: Readonly<Record<string, string>>,
  ): Promise<Site> {
    return new Site(await RecorderUnderTest.start(config, elsewhere))
  }

  get sip(): string {
    return this.#recorder.sip
  }

  get dataPath(): string {
    return this.#recorder.dataPath
  }

  stop(): Promise<void> {
    return this.#recorder.stop()
  }

  /** The process that is this part now; undefined while it is down. */
  pidOf(part: Part): number | undefined {
    return this.#recorder.pidOf(COMMAND_OF[part])
  }

  /** Whether the gateway takes calls. */
  async isReady(): Promise<boolean> {
    const response = await fetch(`${this.#gateway}/readyz`).catch(() => undefined)
    return response?.ok === true
  }

  /** A metric of the gateway, summed over its labels; undefined where it has none of that name, or is down. */
  async metric(name: string): Promise<number | undefined> {
    const response = await fetch(`${this.#gateway}/metrics`).catch(() => undefined)
    if (response?.ok !== true) return undefined
    return metricValue(await response.text(), name)
  }

  /** Contacts of a call; rejects while the portal or the database is down. */
  async contactsOf(callId: string): Promise<readonly ContactView[]> {
    return await this.#recorder.contactsOf([callId])
  }

  /** Both parties of a recording; undefined where there is nothing that plays. */
  async audioOf(recording: RecordingView): Promise<readonly [HeardAudio, HeardAudio] | undefined> {
    const bytes = await this.#recorder.audioOf(recording.id)
    if (bytes === undefined) return undefined
    const samples = await decode(bytes)
    const startedAtMs = Date.parse(recording.startedAt)
    const channel = (at: number): HeardAudio => ({
      startedAtMs,
      samples: Int16Array.from(
        { length: samples.length / CHANNELS },
        (_, index) => samples[index * CHANNELS + at] ?? 0,
      ),
    })
    return [channel(0), channel(1)]
  }

  /** Runs a statement as the database's own administrator. */
  async sql(statement: string): Promise<void> {
    const socket = join(this.dataPath, 'mariadb', 'mariadb.sock')
    const child = spawn('mariadb', ['--socket', socket, '--user', 'root', '-e', statement], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [code] = await new Promise<[number | null]>((resolve) =>
      child.once('close', (exitCode) => resolve([exitCode])),
    )
    if (code !== 0) throw new Error(`the statement was refused: ${statement}`)
  }

  /** Paths of the files in a folder of the data folder. */
  filesIn(name: 'spool' | 'recordings'): readonly string[] {
    const folder = join(this.dataPath, name)
    if (!existsSync(folder)) return []
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
  }
}

/** Waits for something to be so, and returns how long it took, milliseconds; undefined where it did not come. */
export async function waitFor(
  isSo: () => Promise<boolean> | boolean,
  limitMs = WAIT_MS,
): Promise<number | undefined> {
  const startedAt = performance.now()
  while (performance.now() - startedAt < limitMs) {
    if (await isSo()) return performance.now() - startedAt
    await delay(50)
  }
  return undefined
}

/** Whether a process is there, and is no zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

async function decode(bytes: Uint8Array): Promise<Int16Array> {
  const words = [
    '-loglevel',
    'error',
    '-i',
    'pipe:0',
    '-ar',
    `${SAMPLE_RATE}`,
    '-ac',
    `${CHANNELS}`,
  ]
  const child = spawn(ffmpeg.path, [...words, '-f', 's16le', 'pipe:1'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  // Where it ends before it read all, what it wrote says enough.
  child.stdin.on('error', () => {})
  child.stdin.end(bytes)
  const chunks: Buffer[] = []
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer)
  const pcm = Buffer.concat(chunks)
  return Int16Array.from({ length: Math.floor(pcm.length / 2) }, (_, index) =>
    pcm.readInt16LE(2 * index),
  )
}
