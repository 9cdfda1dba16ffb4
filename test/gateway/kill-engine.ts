import { parseArgs } from 'node:util'
import { type EngineDeath, killEngine } from './engine-killer.ts'

const USAGE = `Usage: node build/test/gateway/kill-engine.js GATEWAY_PID [--engine N] [--death throw|exit|hang]

Makes one engine thread of a running gateway die, for drills: its recordings lose their media, and the
gateway goes on. GATEWAY_PID is the process that runs gateway/main.js, started with
NODE_OPTIONS=--inspect-port=0.

  --engine N     which engine (0)
  --death HOW    an uncaught error (throw, the default), process.exit (exit), or an endless loop (hang),
                 which the gateway notices and ends after 15 s
`
const DEATHS: readonly string[] = ['throw', 'exit', 'hang'] satisfies readonly EngineDeath[]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: 'string', default: '0' },
    death: { type: 'string', default: 'throw' },
    help: { type: 'boolean', default: false },
  },
})
const pid = Number(positionals[0])
const engineIndex = Number(values.engine)
if (values.help) {
  process.stdout.write(USAGE)
} else if (!Number.isInteger(pid) || !Number.isInteger(engineIndex) || !isDeath(values.death)) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  const title = await killEngine(pid, { engineIndex, death: values.death })
  process.stdout.write(`${title}: ${values.death}\n`)
}

function isDeath(word: string): word is EngineDeath {
  return DEATHS.includes(word)
}
