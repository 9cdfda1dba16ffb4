import { stringify } from 'yaml'
import { formatAddress } from '../../base/address.ts'
import type { Config } from '../../config/config.ts'
import { ConfigError, loadConfig } from '../../config/load-config.ts'
import { formatMistake } from '../../config/mistake.ts'
import { withoutSecrets } from '../../config/without-secrets.ts'
import { describeDatabase } from '../../storage/database.ts'
import { describeSip, usesPrivateDatabase } from '../up/plan-up.ts'
import { hasFlag, textOption, type Verb } from '../verb.ts'

/** Tells whether the configuration is right, or everything that is wrong with it. */
export const configCheckVerb: Verb = {
  name: 'config check',
  help: `Usage: tallenne config check [--config FILE] [--json]

Reads the configuration file and the TALLENNE_… variables, and says what they come to, or every
mistake with its file and line. The exit code is 0 when all is right.

  --config FILE   the file (else TALLENNE_CONFIG, else the defaults alone)
  --json          { "ok": true, "config": {…} } or { "ok": false, "mistakes": […] }`,
  options: { config: { type: 'string' }, json: { type: 'boolean' } },
  words: [],
  run: async (given, { env, print, warn }) => {
    const json = hasFlag(given, 'json')
    const file = textOption(given, 'config') ?? env['TALLENNE_CONFIG']
    try {
      const config = loadConfig(file, env)
      if (json) print(JSON.stringify({ ok: true, config: withoutSecrets(config) }))
      else for (const line of summarize(config, file)) print(line)
      return 0
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      if (json) print(JSON.stringify({ ok: false, mistakes: error.mistakes }))
      else {
        const { mistakes } = error
        for (const mistake of mistakes) warn(formatMistake(mistake))
        warn(`${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'}.`)
      }
      return 1
    }
  },
}

/** Prints the configuration with its defaults and overrides, secrets hidden. */
export const configShowVerb: Verb = {
  name: 'config show',
  help: `Usage: tallenne config show [--config FILE] [--json]

Prints the configuration as the processes see it: the file, the TALLENNE_… variables over it, and
the defaults. Secrets are hidden.

  --config FILE   the file (else TALLENNE_CONFIG, else the defaults alone)
  --json          as JSON instead of YAML`,
  options: { config: { type: 'string' }, json: { type: 'boolean' } },
  words: [],
  run: async (given, { env, print }) => {
    const config = withoutSecrets(loadConfig(textOption(given, 'config'), env))
    print(hasFlag(given, 'json') ? JSON.stringify(config) : stringify(config).trimEnd())
    return 0
  },
}

function summarize(config: Config, file: string | undefined): string[] {
  const { http, media, serviceLines, trunk } = config
  const numbers = serviceLines.reduce((sum, line) => sum + line.numbers.length, 0)
  const database = usesPrivateDatabase(config)
    ? 'private with tallenne up, else localhost'
    : describeDatabase(config.database)
  return [
    `ok: ${file ?? 'the defaults, no file'}`,
    `  node           ${config.node.id}`,
    `  data           ${config.dataPath}`,
    `  SIP            ${describeSip(config)}`,
    `  media          ${media.bindAddress}, ports ${media.ports.from} to ${media.ports.to}`,
    `  HTTP           ${formatAddress(http.portal)}`,
    `  database       ${database}`,
    `  service lines  ${serviceLines.map(({ name, period }) => `${name} (${period ?? 'kept'})`).join(', ')}`,
    `                 ${numbers} numbers; the rest: ${config.catchAll.name}`,
    `  trunk routes   ${trunk.routes.map(({ name }) => name).join(', ') || 'none'}`,
  ]
}
