import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { textOption, type Verb } from '../verb.ts'

/** A verb that becomes one of the processes: its `main` reads the environment and takes the signals. */
function processVerb(name: string, summary: string): Verb {
  return {
    name,
    help: `Usage: tallenne ${name} [--config FILE]

${summary}
Ends at SIGTERM or Ctrl-C. Logs are JSON lines on standard output.

  --config FILE   the configuration file (else TALLENNE_CONFIG, else the defaults alone)`,
    options: { config: { type: 'string' } },
    words: [],
    run: async (given, { rootPath }) => {
      const main = join(rootPath, 'build', name, 'main.js')
      const config = textOption(given, 'config')
      // From here on the process is the other program, which reads its own command line.
      process.argv = [process.execPath, main, ...(config === undefined ? [] : ['--config', config])]
      await import(pathToFileURL(main).href)
      return Number(process.exitCode ?? 0)
    },
  }
}

export const gatewayVerb = processVerb(
  'gateway',
  'Runs one recording node against the configured database.',
)
export const retentionVerb = processVerb(
  'retention',
  'Runs the daemon that deletes recordings when they are due.',
)
export const portalVerb = processVerb('portal', 'Runs the HTTP API.')
