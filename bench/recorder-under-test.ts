import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { formatAddress } from '../cli/up/address.ts'
import type { ContactPage } from '../storage/model.ts'
import { freeAddress } from './free-address.ts'
import { type ProcessFigures, readProcessFigures } from './process-figures.ts'

/** A whole installation on the embedded default in a folder of its own, started for the bench and ended by it. */
export class RecorderUnderTest {
  readonly sip: string
  readonly #http: string
  readonly #up: ChildProcess
  readonly #dataPath: string
  readonly #token: string

  private constructor(
    up: ChildProcess,
    addresses: { readonly sip: string; readonly http: string; readonly dataPath: string },
  ) {
    this.sip = addresses.sip
    this.#http = addresses.http
    this.#up = up
    this.#dataPath = addresses.dataPath
    this.#token = readFileSync(join(addresses.dataPath, 'admin.token'), 'utf8').trim()
  }

  /** `config` is what the configuration file says. Takes free ports. Rejects where it does not say `ready`. */
  static async start(config: Readonly<Record<string, unknown>> = {}): Promise<RecorderUnderTest> {
    const dataPath = mkdtempSync(join(tmpdir(), 'tallenne-bench-'))
    const configPath = join(dataPath, 'bench.yaml')
    writeFileSync(configPath, stringify(config))
    const sip = formatAddress(await freeAddress(15_060, ['udp', 'tcp']))
    const http = formatAddress(await freeAddress(18_080, ['tcp']))
    const places = ['--data', dataPath, '--config', configPath, '--sip', sip, '--http', http]
    const up = spawn(process.execPath, ['build/cli/main.js', 'up', ...places], {
      env: ownEnvironment(),
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
    return readProcessFigures(this.#gatewayPid())
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

  async stop(): Promise<void> {
    this.#up.kill('SIGTERM')
    if (this.#up.exitCode === null) await once(this.#up, 'exit')
    rmSync(this.#dataPath, { recursive: true, force: true })
  }

  #gatewayPid(): number {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8')
        const isOurs =
          readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] ===
          `${this.#up.pid}`
        if (isOurs && command.includes('gateway/main.js')) return Number(name)
      } catch {
        // It ended while the list was read.
      }
    }
    throw new Error('the gateway is not running')
  }
}

/** What names servers for tests is no configuration. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env)
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('TALLENNE_')))
}
