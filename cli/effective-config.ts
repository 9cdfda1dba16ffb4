import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isRunning } from '../base/process-identity.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { readHolder } from './up/folder-lock.ts'
import { usesPrivateDatabase } from './up/plan-up.ts'
import { type Given, type Terminal, textOption } from './verb.ts'

/** Options of every verb that works with a configuration or a running installation. */
export const CONFIG_OPTIONS = {
  config: { type: 'string' },
  data: { type: 'string' },
} as const

export const CONFIG_HELP = `  --config FILE   the configuration file (else TALLENNE_CONFIG)
  --data DIR      the data folder of a running tallenne up`

/** Where `up` keeps the whole configuration that its processes run with. */
export function effectiveConfigPath(dataPath: string): string {
  return join(dataPath, 'effective.yaml')
}

/**
 * The configuration that a verb works with: `--config`, else that of the `up` in `--data`, else
 * `TALLENNE_CONFIG`, else that of an `up` found in the usual folders (running ones first), else the defaults.
 */
export function findConfig(given: Given, { env, rootPath }: Terminal): Config {
  const file = textOption(given, 'config')
  if (file !== undefined) return asRunning(loadConfig(file, env), env)
  const dataPath = textOption(given, 'data')
  if (dataPath !== undefined) return loadConfig(effectiveConfigPath(resolve(dataPath)), env)
  if (env['TALLENNE_CONFIG'] !== undefined) return asRunning(loadConfig(undefined, env), env)
  const usual = [resolve('data'), join(rootPath, 'data'), join(rootPath, 'data', 'demo')]
  const known = usual.filter((folder) => existsSync(effectiveConfigPath(folder)))
  const running = known.find((folder) => {
    const holder = readHolder(folder)
    return holder !== undefined && isRunning(holder.up)
  })
  const folder = running ?? known[0]
  return loadConfig(folder === undefined ? undefined : effectiveConfigPath(folder), env)
}

/**
 * Where a configuration leaves its database to `up`, the one that `up` has made, and the HTTP addresses that it gave:
 * its own file says neither.
 */
function asRunning(config: Config, env: Terminal['env']): Config {
  const path = effectiveConfigPath(config.dataPath)
  if (!usesPrivateDatabase(config) || !existsSync(path)) return config
  const { database, http } = loadConfig(path, env)
  return { ...config, database, http }
}
