import type { Finding } from '../doctor/finding.ts'
import { findAll } from '../doctor/findings.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { hasFlag, type Verb } from '../verb.ts'

/** Checks this machine and what runs on it. */
export const doctorVerb: Verb = {
  name: 'doctor',
  help: `Usage: tallenne doctor [--json]

Checks Node, packages, the configuration, ports, the data folder, limits of the system, the clock,
the database and the running processes. Each line is ok, warn or fail, with what to do. The exit
code is 1 where something fails.

  --json          { "findings": [ { "level", "subject", "text" } ] }
${CONFIG_HELP}`,
  options: { ...CONFIG_OPTIONS, json: { type: 'boolean' } },
  words: [],
  run: async (given, terminal) => {
    const findings = await findAll(() => findConfig(given, terminal), terminal.rootPath)
    if (hasFlag(given, 'json')) terminal.print(JSON.stringify({ findings }))
    else for (const finding of findings) terminal.print(formatFinding(finding))
    return findings.some(({ level }) => level === 'fail') ? 1 : 0
  },
}

function formatFinding({ level, subject, text }: Finding): string {
  return `${level.padEnd(4)}  ${subject.padEnd(18)}  ${text}`
}
