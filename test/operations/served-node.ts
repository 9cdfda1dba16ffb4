import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from '../free-port.ts'
import { startMariadb } from '../mariadb.ts'
import { until } from '../until.ts'

export const PROCESSES = ['gateway', 'retention', 'portal'] as const
export type ProcessName = (typeof PROCESSES)[number]

export interface ServedNode {
  readonly sip: { readonly host: string; readonly port: number }
  /** Text of a process' `/metrics`. */
  metrics(process: ProcessName): Promise<string>
  /** The address of each process, by the job that scrapes it. */
  readonly jobs: Readonly<Record<string, string>>
  /** Asks the portal as its administrator. */
  asPortal(path: string): Promise<Response>
}

/** What ends what was started for it: a test, or a script. */
export interface Scope {
  teardown(end: () => unknown): unknown
  /** An empty folder. */
  testdir(): string
}

/**
 * All processes of a node, with a database of their own; ended by the scope. `changes` are keys of the configuration.
 */
export async function startNode(
  t: Scope,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<ServedNode> {
  const mariadb = await startMariadb()
  t.teardown(() => mariadb.close())
  const { port: _, connections: __, ...database } = mariadb.settings
  const folder = t.testdir()
  const ports = { gateway: await freePort(), retention: await freePort(), portal: await freePort() }
  const sip = { host: '127.0.0.1', port: await freePort() }
  const config = join(folder, 'tallenne.yaml')
  writeFileSync(
    config,
    stringify({
      dataPath: join(folder, 'data'),
      database,
      sip: { listen: [{ transport: 'udp', ...sip }] },
      media: { ports: { from: 33_000, to: 33_199 }, engines: 1 },
      http: Object.fromEntries(
        PROCESSES.map((name) => [name, { host: '127.0.0.1', port: ports[name] }]),
      ),
      retention: { sweepEveryS: 1 },
      ...changes,
    }),
  )
  await Promise.all(PROCESSES.map((name) => startProcess(t, { name, config, port: ports[name] })))
  return {
    sip,
    metrics: async (name) => (await fetch(`http://127.0.0.1:${ports[name]}/metrics`)).text(),
    jobs: Object.fromEntries(
      PROCESSES.map((name) => [`tallenne-${name}`, `127.0.0.1:${ports[name]}`]),
    ),
    asPortal: (path) => {
      const token = readFileSync(join(folder, 'data', 'admin.token'), 'utf8').trim()
      const headers = { authorization: `Bearer ${token}` }
      return fetch(`http://127.0.0.1:${ports.portal}${path}`, { headers })
    },
  }
}

async function startProcess(
  t: Scope,
  {
    name,
    config,
    port,
  }: { readonly name: ProcessName; readonly config: string; readonly port: number },
): Promise<void> {
  const main = new URL(`../../${name}/main.js`, import.meta.url).pathname
  const child = spawn(process.execPath, [main, '--config', config], { stdio: 'ignore' })
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${name} does not start`)
    return (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok
  }, 25)
}
