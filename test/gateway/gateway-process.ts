import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { DatabaseSettings } from '../../storage/database.ts'
import { freePort } from '../free-port.ts'
import { metricValue } from '../metrics-text.ts'
import { until } from '../until.ts'

const MAIN = new URL('../../gateway/main.js', import.meta.url).pathname

export interface GatewayFolder {
  readonly folder: string
  readonly dataPath: string
  readonly sip: { readonly host: string; readonly port: number }
  readonly http: string
  /** The value of what it serves of a metric, or of one of its series: `name{label="value"}`. */
  metric(series: string): Promise<number | undefined>
  /** Starts the gateway's process and waits until it is ready. */
  start(): Promise<GatewayProcess>
  /** Starts it and waits for its end, for starts that fail. */
  fail(): Promise<{ readonly code: number | null; readonly said: string }>
  /** Writes a file into the data folder. */
  write(name: string, content: string): void
  /** Recordings in the spool. */
  spooled(): readonly string[]
  /** Kills what still runs of it, and removes the files. */
  remove(): Promise<void>
}

export interface GatewayProcess {
  readonly pid: number
  /** Lines of the log so far. */
  readonly log: () => string
  /** Sends a signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<{ readonly code: number | null; readonly ms: number }>
}

/** A gateway's configuration and data in a temporary folder; it may be started several times. */
export async function makeGateway(
  database: DatabaseSettings,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<GatewayFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-gateway-'))
  const [sipPort, httpPort] = [await freePort(), await freePort()]
  const path = join(folder, 'tallenne.yaml')
  writeFileSync(
    path,
    stringify({
      dataPath: 'data',
      sip: {
        listen: [
          { transport: 'udp', host: '127.0.0.1', port: sipPort },
          { transport: 'tcp', host: '127.0.0.1', port: sipPort },
        ],
      },
      media: { ports: { from: 32_000, to: 32_199, restS: 0 }, engines: 1 },
      database: {
        socketPath: database.socketPath,
        user: database.user,
        database: database.database,
      },
      http: { gateway: { host: '127.0.0.1', port: httpPort } },
      ...changes,
    }),
  )
  const http = `http://127.0.0.1:${httpPort}`
  const launched: ChildProcess[] = []
  const launch = () => {
    const child = spawn(process.execPath, ['--inspect-port=0', MAIN, '--config', path], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: ownEnvironment(),
    })
    launched.push(child)
    let said = ''
    const hear = (chunk: Buffer) => {
      said += chunk.toString()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    return { child, said: () => said }
  }
  return {
    folder,
    dataPath: join(folder, 'data'),
    sip: { host: '127.0.0.1', port: sipPort },
    http,
    metric: async (series) => metricValue(await (await fetch(`${http}/metrics`)).text(), series),
    async start() {
      const { child, said } = launch()
      await ready(child, { http, said })
      return { pid: child.pid ?? 0, log: said, end: (signal) => end(child, signal) }
    },
    async fail() {
      const { child, said } = launch()
      const code = await ended(child)
      return { code, said: said() }
    },
    write: (name, content) => writeFileSync(join(folder, 'data', name), content),
    spooled: () => readdirSync(join(folder, 'data', 'spool')),
    async remove() {
      await Promise.all(launched.map((child) => end(child, 'SIGKILL')))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What names servers for tests is no setting of the gateway's. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TALLENNE_TEST_'))
  return Object.fromEntries(own)
}

async function ready(
  child: ChildProcess,
  { http, said }: { readonly http: string; readonly said: () => string },
): Promise<void> {
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error('it ended')
      return (await fetch(`${http}/readyz`).catch(() => undefined))?.ok
    }, 20)
  } catch (error) {
    throw new Error(`the gateway is not ready: ${said()}`, { cause: error })
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL') {
  const startedAt = performance.now()
  child.kill(signal)
  return { code: await ended(child), ms: performance.now() - startedAt }
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  return child.exitCode
}
