import { SystemClock } from '../../../base/clock.ts'
import { startInstallation } from '../../../cli/up/installation.ts'
import { loadConfig } from '../../../config/load-config.ts'

// Run as a program of its own, so that a test can kill it: arguments are the root and the configuration's file.
const [, , rootPath = '', configPath] = process.argv
await startInstallation({
  config: loadConfig(configPath, {}),
  rootPath,
  env: process.env,
  clock: new SystemClock(),
  report: () => {},
  stopped: new AbortController().signal,
})
process.stdout.write('ready\n')
