import { execFile } from 'node:child_process'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import { hasCode } from '../../base/has-code.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { connectDatabase, type DatabaseSettings } from '../../storage/database.ts'
import { type EndReport, SupervisedProcess } from './supervised-process.ts'

const run = promisify(execFile)

/** sockaddr_un holds 108 bytes, the last of them zero (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107
const ANSWERS_WITHIN_MS = 60_000

export interface PrivateDatabaseOptions {
  readonly dataPath: string
  readonly connections: number
  readonly clock: Clock
  readonly env: Readonly<NodeJS.ProcessEnv>
  onEnded(report: EndReport): void
  onStarted(pid: number): void
}

/**
 * A MariaDB server in the data folder. It listens on a Unix socket alone, in a folder that only its owner may
 * enter, so it needs no password.
 */
export class PrivateDatabase {
  readonly settings: DatabaseSettings
  readonly #process: SupervisedProcess

  private constructor(settings: DatabaseSettings, server: SupervisedProcess) {
    this.settings = settings
    this.#process = server
  }

  /**
   * Makes the files where there are none, starts the server and waits until it answers. Rejects with
   * `socket_path_too_long`, `packages_missing`, `folder_unusable` or `database_not_started`.
   */
  static async start(options: PrivateDatabaseOptions): Promise<PrivateDatabase> {
    const { dataPath, connections, clock, env } = options
    const folder = join(dataPath, 'mariadb')
    const settings: DatabaseSettings = {
      socketPath: join(folder, 'mariadb.sock'),
      port: 3306,
      user: 'root',
      database: 'tallenne',
      connections,
    }
    checkSocketPath(settings.socketPath ?? '', dataPath)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const files = join(folder, 'files')
    await makeFiles(files, env)

    let lastEnd: EndReport | undefined
    const server = new SupervisedProcess({
      name: 'mariadb',
      command: 'mariadbd',
      args: serverArguments(folder, files),
      env,
      logPath: join(dataPath, 'log', 'mariadb.log'),
      clock,
      onStarted: options.onStarted,
      onEnded: (report) => {
        if (isUp) options.onEnded(report)
        else lastEnd = report
      },
    })
    let isUp = false
    server.start()
    const giveUpMs = clock.monotonicMs() + ANSWERS_WITHIN_MS
    while (!(await answers(settings))) {
      if (lastEnd || clock.monotonicMs() > giveUpMs) {
        await server.stop(2000)
        const why = lastEnd
          ? `ended at its start (${lastEnd.complaint ?? lastEnd.how})`
          : `did not answer within ${ANSWERS_WITHIN_MS / 1000} s`
        throw new TallenneError(
          'database_not_started',
          `The private MariaDB ${why}: see ${join(dataPath, 'log', 'mariadb.log')}.`,
        )
      }
      await delay(25)
    }
    isUp = true
    return new PrivateDatabase(settings, server)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  async stop(graceMs: number): Promise<void> {
    await this.#process.stop(graceMs)
  }

  kill(): void {
    this.#process.kill()
  }
}

function checkSocketPath(socketPath: string, dataPath: string): void {
  const bytes = Buffer.byteLength(socketPath)
  if (bytes <= MAX_SOCKET_PATH_BYTES) return
  throw new TallenneError(
    'socket_path_too_long',
    `The data folder's path is too long: the database's socket ${socketPath} would have ${bytes} bytes of the ${MAX_SOCKET_PATH_BYTES} that Unix allows, so choose with --data a folder whose path is ${bytes - MAX_SOCKET_PATH_BYTES} bytes shorter than ${dataPath}.`,
  )
}

/** Made beside and renamed, so that files are there whole or not at all. */
async function makeFiles(files: string, env: Readonly<NodeJS.ProcessEnv>): Promise<void> {
  if (await exists(files)) return
  const unfinished = `${files}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  try {
    await run(
      'mariadb-install-db',
      [
        '--no-defaults',
        ...asRoot(),
        `--datadir=${unfinished}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        // Two that start at once find each other's temporary tables where they share a folder for them.
        `--tmpdir=${dirname(unfinished)}`,
        ...sizes(),
      ],
      { env },
    )
  } catch (error) {
    const isMissing = hasCode(error, 'ENOENT')
    if (isMissing) {
      throw new TallenneError(
        'packages_missing',
        'mariadb-install-db is missing: install the packages mariadb-server-core and mariadb-client-core, or configure a database of your own.',
        { cause: error },
      )
    }
    throw new TallenneError(
      'database_not_started',
      `The private MariaDB's files could not be made in ${files} (${messageOf(error).split('\n')[0]}): check that the folder can be written and the disk is not full.`,
      { cause: error },
    )
  }
  await rename(unfinished, files)
}

function serverArguments(folder: string, files: string): string[] {
  return [
    '--no-defaults',
    ...asRoot(),
    ...sizes(),
    `--datadir=${files}`,
    `--socket=${join(folder, 'mariadb.sock')}`,
    `--pid-file=${join(folder, 'mariadb.pid')}`,
    `--tmpdir=${folder}`,
    '--skip-networking',
    '--skip-log-bin',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_unicode_ci',
    '--innodb-buffer-pool-size=128M',
    '--max-connections=100',
    // Each commit is on the disk before it is told (the default, said because it matters).
    '--innodb-flush-log-at-trx-commit=1',
  ]
}

function sizes(): string[] {
  return ['--innodb-log-file-size=64M']
}

/** mariadbd refuses to run as root unless told to. */
function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : []
}

async function answers(settings: DatabaseSettings): Promise<boolean> {
  if (!(await exists(settings.socketPath ?? ''))) return false
  try {
    const connection = await connectDatabase({ ...settings, database: 'mysql' })
    await connection.end()
    return true
  } catch {
    return false
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
