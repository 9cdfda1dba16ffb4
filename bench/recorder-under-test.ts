import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { formatAddress } from '../base/address.ts'
import type { ContactPage } from '../storage/model.ts'
import { freeAddress } from './free-address.ts'
import { type ProcessFigures, readProcessFigures } from './process-figures.ts'

/** A whole installation on the embedded default in a folder of its own, started for the bench and ended by it. */
export class RecorderUnderTest {
  readonly sip: string
  readonly #http: string
  readonly #up: ChildProcess
  readonly dataPath: string
  readonly #token: string

  private constructor(
    up: ChildProcess,
    addresses: { readonly sip: string; readonly http: string; readonly dataPath: string },
  ) {
    this.sip = addresses.sip
    this.#http = addresses.http
    this.#up = up
    this.dataPath = addresses.dataPath
    this.#token = readFileSync(join(addresses.dataPath, 'admin.token'), 'utf8').trim()
  }

  /**
   * `config` is what the configuration file says, `elsewhere` which folders of the data folder lie at other paths. Takes
   * free ports. Rejects where it does not say `ready`.
   */
  static async start(
    config: Readonly<Record<string, unknown>> = {},
    elsewhere: Readonly<Record<string, string>> = {},
  ): Promise<RecorderUnderTest> {
    const dataPath = mkdtempSync(join(tmpdir(), 'tallenne-bench-'))
    for (const [name, path] of Object.entries(elsewhere)) symlinkSync(path, join(dataPath, name))
    const configPath = join(dataPath, 'bench.yaml')
    writeFileSync(configPath, stringify(config))
    const sip = formatAddress(await freeAddress(15_060, ['udp', 'tcp']))
    const http = formatAddress(await freeAddress(18_080, ['tcp']))
    const places = ['--data', dataPath, '--config', configPath, '--sip', sip, '--http', http]
    // Drills end engines through Node's inspector, whose usual port is there once on a machine.
    const env = { ...ownEnvironment(), NODE_OPTIONS: '--inspect-port=0' }
    const up = spawn(process.execPath, ['build/cli/main.js', 'up', ...places], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let told = ''
    for await (const chunk of up.stdout.iterator({ destroyOnReturn: false })) {
      told += String(chunk)
      if (/^ready$/m.test(told)) {
        return new RecorderUnderTest(up, { sip, http, dataPath })
      }
    }
    throw new Error(`the recorder did not start:\n${told}`)
  }

  /** The gateway process with its engine threads. */
  get gatewayFigures(): ProcessFigures {
    const pid = this.pidOf('gateway/main.js')
    if (pid === undefined) throw new Error('the gateway is not running')
    return readProcessFigures(pid)
  }

  /** Contacts of these calls, as the API shows them. */
  async contactsOf(callIds: readonly string[]): Promise<ContactPage['items']> {
    const pages = await Promise.all(
      callIds.map(async (callId) => {
        const response = await fetch(
          `http://${this.#http}/api/contacts?callId=${encodeURIComponent(callId)}`,
          { headers: { Authorization: `Bearer ${this.#token}` } },
        )
        return (await response.json()) as ContactPage
      }),
    )
    return pages.flatMap(({ items }) => items)
  }

  /** A recording's file as it is played; undefined where there is nothing to play. */
  async audioOf(recordingId: string): Promise<Uint8Array | undefined> {
    const response = await fetch(`http://${this.#http}/api/recordings/${recordingId}/audio`, {
      headers: { Authorization: `Bearer ${this.#token}` },
    })
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined
  }

  async stop(): Promise<void> {
    this.#up.kill('SIGTERM')
    if (this.#up.exitCode === null) await once(this.#up, 'exit')
    rmSync(this.dataPath, { recursive: true, force: true })
  }

  /** The process of this installation whose command line holds these words; undefined while it is down. */
  pidOf(command: string): number | undefined {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .find((pid) => this.#isOwn(pid, command))
  }

  #isOwn(pid: number, command: string): boolean {
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]
      return (
        Number(parent) === this.#up.pid &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(command)
      )
    } catch {
      // It ended while the list was read.
      return false
    }
  }
}

/** What names servers for tests is no configuration. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env)
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('TALLENNE_')))
}
