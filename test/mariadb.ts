import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { access, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  connectDatabase,
  createDatabaseIfMissing,
  createDatabasePool,
  type DatabaseSettings,
  type Pool,
} from '../storage/database.ts'
import { sha256 } from './sha256.ts'
import { until } from './until.ts'

const run = promisify(execFile)
const BUILD = new URL('..', import.meta.url).pathname

/** A MariaDB server of a test file's own, in a temporary folder, listening on a Unix socket only. */
export interface PrivateMariadb {
  readonly settings: DatabaseSettings
  /** A pool on it, made at the first call and ended by `close`. */
  pool(): Pool
  /** Ends the server and keeps its files; SIGKILL where `how` says so. */
  stop(how?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts it again on the same files. */
  start(): Promise<void>
  /** Holds its process up (SIGSTOP) until `thaw`: connections stand, and nothing answers. */
  freeze(): void
  thaw(): void
  /** Ends everything and removes the files. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a server with an empty database `tallenne`; `t.teardown(() => mariadb.close())` ends it. With `mostMiB` all
 * tables share one file that cannot grow beyond that. `options` are the server's own, and go before those of tests.
 */
export async function startMariadb({
  mostMiB,
  options = [],
}: {
  mostMiB?: number
  options?: readonly string[]
} = {}): Promise<PrivateMariadb> {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-mariadb-'))
  const files = join(folder, 'files')
  const settings: DatabaseSettings = {
    socketPath: join(folder, 'mariadb.sock'),
    port: 3306,
    user: 'root',
    database: 'tallenne',
    connections: 4,
  }
  const asUser = process.getuid?.() === 0 ? ['--user=root'] : []
  const size = [
    '--innodb-log-file-size=16M',
    ...(mostMiB === undefined
      ? ['--innodb-data-file-path=ibdata1:8M:autoextend']
      : [
          `--innodb-data-file-path=ibdata1:8M:autoextend:max:${mostMiB}M`,
          '--innodb-file-per-table=0',
          // A server without room for undoing ends itself.
          '--innodb-undo-tablespaces=3',
        ]),
  ]
  const temporary = `--tmpdir=${folder}`
  await run('cp', ['-r', await newFiles([...asUser, ...size]), files])

  let server: { readonly ended: Promise<void>; kill(signal: NodeJS.Signals): void } | undefined
  let pool: Pool | undefined

  async function start() {
    if (server) return
    const child = spawn(
      'mariadbd',
      [
        '--no-defaults',
        ...asUser,
        ...size,
        temporary,
        `--datadir=${files}`,
        `--socket=${settings.socketPath}`,
        `--pid-file=${join(folder, 'mariadb.pid')}`,
        '--skip-networking',
        '--skip-log-bin',
        '--innodb-buffer-pool-size=32M',
        // A test may lose the last second when the machine loses power, not when the server is killed.
        '--innodb-flush-log-at-trx-commit=2',
        ...options,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000)
    })
    let hasEnded = false
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => {
        hasEnded = true
        resolve()
      })
    })
    server = { ended, kill: (signal) => child.kill(signal) }
    await until(async () => {
      if (hasEnded) throw new Error(`mariadbd ended at its start: ${said}`)
      return await answers(settings)
    }, 25)
  }

  async function stop(how: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') {
    const stopping = server
    server = undefined
    stopping?.kill(how)
    await stopping?.ended
  }

  async function close() {
    await pool?.end().catch(() => {})
    pool = undefined
    await stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }

  try {
    await start()
    await createDatabaseIfMissing(settings)
  } catch (error) {
    await close()
    throw error
  }

  return {
    settings,
    pool: () => {
      pool ??= createDatabasePool(settings)
      return pool
    },
    stop,
    start,
    freeze: () => server?.kill('SIGSTOP'),
    thaw: () => server?.kill('SIGCONT'),
    close,
  }
}

/**
 * The files of a server that was never started, made once for all test files: that takes seconds, and a copy of them a
 * tenth of one.
 */
async function newFiles(options: readonly string[]): Promise<string> {
  const { stdout: version } = await run('mariadbd', ['--version'])
  const name = sha256(Buffer.from(JSON.stringify([version, options]))).slice(0, 16)
  const path = join(BUILD, `mariadb-${name}`)
  if (existsSync(path)) return path
  const folder = mkdtempSync(join(BUILD, 'mariadb-new-'))
  const made = join(folder, 'files')
  try {
    await run('mariadb-install-db', [
      '--no-defaults',
      ...options,
      `--datadir=${made}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      // Servers that start at once find each other's temporary tables where they share a folder for them.
      `--tmpdir=${folder}`,
    ])
    // Whole or not at all; another test file may have been faster.
    await rename(made, path).catch((error: unknown) => {
      if (!existsSync(path)) throw error
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return path
}

async function answers(settings: DatabaseSettings): Promise<boolean> {
  try {
    await access(settings.socketPath ?? '')
    const connection = await connectDatabase({ ...settings, database: 'mysql' })
    await connection.end()
    return true
  } catch {
    return false
  }
}
