import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Clock } from '../../base/clock.ts'
import { withoutConfiguration } from '../../base/confine-process.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { dataPaths } from '../../config/data-paths.ts'
import {
  createDatabaseIfMissing,
  createDatabasePool,
  type DatabaseSettings,
} from '../../storage/database.ts'
import { migrate } from '../../storage/migrate.ts'
import { effectiveConfigPath } from '../effective-config.ts'
import { FolderLock } from './folder-lock.ts'
import { usesPrivateDatabase } from './plan-up.ts'
import { PrivateDatabase } from './private-database.ts'
import { allReady, PROCESSES, throwIfStopped } from './readiness.ts'
import { type EndReport, SupervisedProcess } from './supervised-process.ts'

/** Together less than the ten seconds that a stop may take: live calls end first and need the longest. */
const GRACE_MS = { gateway: 6000, others: 1500, database: 2000 } as const

export interface InstallationOptions {
  /** As planned: its addresses are free, and nothing runs in its folder. */
  readonly config: Config
  /** Where `build/` is. */
  readonly rootPath: string
  readonly env: Readonly<NodeJS.ProcessEnv>
  readonly clock: Clock
  /** Told, in a line, what an operator would want to know. */
  report(line: string): void
  readonly stopped: AbortSignal
}

/** Everything that `up` runs, from the data folder's lock to the last process. */
export interface Installation {
  readonly config: Config
  readonly tokenPath: string
  /** Ends all in order. Idempotent. */
  stop(): Promise<void>
  /** Ends all at once, as a second Ctrl-C asks. */
  kill(): void
}

/**
 * Starts the database, brings it up to date, starts gateway, retention and portal, and resolves when all of
 * them are ready. Where that fails everything is stopped again and the reason is thrown; where `stopped`
 * comes first, it rejects with `stopped`.
 */
export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const { clock, report, stopped } = options
  const { dataPath } = options.config
  makeWritable(dataPath)
  makeWritable(join(dataPath, 'log'))
  const lock = FolderLock.take(dataPath)
  const processes: SupervisedProcess[] = []
  let database: PrivateDatabase | undefined
  let isReady = false
  let failure: EndReport | undefined

  const noteProcesses = () => lock.note(pids())
  const pids = () =>
    [database?.pid, ...processes.map(({ pid }) => pid)].filter((pid) => pid !== undefined)
  const onEnded = (end: EndReport) => {
    if (!isReady) failure ??= end
    const why = end.complaint === undefined ? '' : `: ${end.complaint}`
    const again = `starting it again in ${Math.round(end.restartInMs / 1000)} s`
    if (isReady) report(`${end.name} ended (${end.how})${why}; ${again}.`)
  }

  let stopping: Promise<void> | undefined
  async function stopAll() {
    const [gateway, ...others] = processes
    // Calls are ended by the gateway; what it still says must find the database.
    await gateway?.stop(GRACE_MS.gateway)
    await Promise.all(others.map((process) => process.stop(GRACE_MS.others)))
    await database?.stop(GRACE_MS.database)
    lock.release()
  }
  const stop = () => {
    stopping ??= stopAll()
    return stopping
  }

  try {
    let settings: DatabaseSettings = options.config.database
    if (usesPrivateDatabase(options.config)) {
      const env = withoutConfiguration(options.env)
      const connections = options.config.database.connections
      database = await PrivateDatabase.start({
        dataPath,
        connections,
        clock,
        env,
        onEnded,
        onStarted: (pid) => lock.note([...pids(), pid]),
      })
      settings = database.settings
    }
    throwIfStopped(stopped)
    await prepareDatabase(settings)
    throwIfStopped(stopped)

    const config = { ...options.config, database: { ...options.config.database, ...settings } }
    const configPath = writeEffectiveConfig(config)
    for (const name of PROCESSES) {
      processes.push(
        new SupervisedProcess({
          name,
          command: process.execPath,
          args: ['--enable-source-maps', join(options.rootPath, 'build', name, 'main.js')],
          env: childEnvironment(options.env, configPath),
          logPath: join(dataPath, 'log', `${name}.log`),
          clock,
          onEnded,
          onStarted: noteProcesses,
        }),
      )
    }
    for (const process of processes) process.start()
    await allReady(config, { clock, stopped, failure: () => failure })
    isReady = true
    return {
      config,
      tokenPath: dataPaths(config).adminToken,
      stop,
      kill: () => {
        for (const process of processes) process.kill()
        database?.kill()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function makeWritable(path: string): void {
  try {
    makeFolder(path, 0o750)
    const probe = join(path, `.writable-${process.pid}`)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    throw new TallenneError(
      'folder_unusable',
      `The data folder ${path} cannot be written (${messageOf(error)}): let it be a folder that this user may write, or choose another with --data.`,
      { cause: error },
    )
  }
}

async function prepareDatabase(settings: DatabaseSettings): Promise<void> {
  await createDatabaseIfMissing(settings)
  const pool = createDatabasePool(settings)
  try {
    await migrate(pool)
  } finally {
    await pool.end()
  }
}

/** What the processes read, and what other verbs find the installation by. It may hold a password. */
function writeEffectiveConfig(config: Config): string {
  const path = effectiveConfigPath(config.dataPath)
  const text = `# Written by tallenne up at each start; changes here are lost.\n${stringify(config)}`
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

/** The file has all that variables have set, so the processes get none of them. */
function childEnvironment(
  env: Readonly<NodeJS.ProcessEnv>,
  configPath: string,
): Readonly<NodeJS.ProcessEnv> {
  return { ...withoutConfiguration(env), TALLENNE_CONFIG: configPath }
}
