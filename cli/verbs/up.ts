import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { localUrl } from '../../base/address.ts'
import { SystemClock } from '../../base/clock.ts'
import { loadConfig } from '../../config/load-config.ts'
import { describeDatabase } from '../../storage/database.ts'
import { readAddress } from '../up/address.ts'
import { type Installation, startInstallation } from '../up/installation.ts'
import { describeSip, planUp, type UpPlan, usesPrivateDatabase } from '../up/plan-up.ts'
import { type Given, type Terminal, textOption, type Verb } from '../verb.ts'

/** A wait that keeps the process alive, since nothing else here must. */
const FOREVER_MS = 2 ** 31 - 1

const UP_OPTIONS = {
  data: { type: 'string' },
  sip: { type: 'string' },
  http: { type: 'string' },
  config: { type: 'string' },
} as const

/** Runs all processes on one machine. */
export const upVerb: Verb = {
  name: 'up',
  help: `Usage: tallenne up [--data DIR] [--sip HOST:PORT] [--http HOST:PORT] [--config FILE]

Runs everything on this machine: a private MariaDB (unless the configuration names a database),
the gateway, the retention daemon and the portal. Says "ready" when calls can come, and ends all
in order at Ctrl-C or SIGTERM. A process that ends is started again.

  --data DIR        folder of everything that is written (else dataPath, which is ./data)
  --sip HOST:PORT   where SIP listens, UDP and TCP (else sip.listen, which is 127.0.0.1:5060)
  --http HOST:PORT  where the portal listens (else http.portal, which is 127.0.0.1:8080)
  --config FILE     the configuration file (else TALLENNE_CONFIG)

Logs are in DIR/log. The token for the HTTP API is in DIR/admin.token.`,
  options: UP_OPTIONS,
  words: [],
  run: async (given, terminal) => {
    const installation = await startFrom(given, terminal)
    terminal.print('ready')
    await untilStopped(terminal.stopSignal())
    await stopInstallation(installation, terminal)
    return 0
  },
}

/**
 * Answers by its exit code whether `up`, given these words, needs MariaDB's packages: the launcher asks before
 * it installs them. Not listed in the help.
 */
export const needsPrivateDatabaseVerb: Verb = {
  name: 'needs-private-database',
  help: 'Usage: tallenne needs-private-database up [options]\n\nAnswers the launcher by its exit code.',
  options: UP_OPTIONS,
  words: ['VERB'],
  run: async (given, { env }) => {
    try {
      return usesPrivateDatabase(loadConfig(textOption(given, 'config'), env)) ? 0 : 1
    } catch {
      // The verb itself tells what is wrong with the configuration, and no package mends it.
      return 1
    }
  },
}

async function startFrom(given: Given, terminal: Terminal): Promise<Installation> {
  const sip = textOption(given, 'sip')
  const http = textOption(given, 'http')
  const data = textOption(given, 'data')
  const config = loadConfig(textOption(given, 'config'), terminal.env)
  const dataPath = data === undefined ? config.dataPath : resolve(data)
  const plan = await planUp({
    config,
    sip: sip === undefined ? undefined : readAddress(sip, '--sip'),
    http: http === undefined ? undefined : readAddress(http, '--http'),
    dataPath,
    movesPorts: false,
  })
  for (const note of plan.notes) terminal.print(note)
  return startAndTell(plan, terminal)
}

/** Starts everything and prints where it is. */
export async function startAndTell(
  { config, claims }: UpPlan,
  terminal: Terminal,
): Promise<Installation> {
  terminal.print(`Starting Tallenne in ${config.dataPath} …`)
  const installation = await startInstallation({
    config,
    rootPath: terminal.rootPath,
    env: terminal.env,
    clock: new SystemClock(),
    report: terminal.print,
    stopped: terminal.stopSignal(),
  }).finally(() => claims.release())
  terminal.print(`  SIP       ${describeSip(config)}`)
  terminal.print(`  HTTP      ${localUrl(config.http.portal)}/`)
  terminal.print(`  token     ${installation.tokenPath}`)
  terminal.print(`  database  ${describeDatabase(installation.config.database)}`)
  terminal.print(`  logs      ${config.dataPath}/log`)
  return installation
}

/** Resolves at the first signal to end. */
export async function untilStopped(stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) await delay(FOREVER_MS, undefined, { signal: stopped }).catch(() => {})
}

/** Ends everything in order; a second signal ends it at once. */
export async function stopInstallation(
  installation: Installation,
  terminal: Terminal,
): Promise<void> {
  terminal.print('Ending: calls first, the database last …')
  const kill = () => installation.kill()
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, kill)
  await installation.stop()
  for (const signal of signals) process.off(signal, kill)
  terminal.print('ended')
}
