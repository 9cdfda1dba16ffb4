import { parseArgs } from 'node:util'
import { benchEncryption } from './encryption-bench.ts'
import { measureNoise } from './machine-noise.ts'
import { benchMetadata } from './metadata-bench.ts'
import { benchSiprec } from './siprec-bench.ts'
import { benchSrtp } from './srtp-bench.ts'
import { benchTrunk } from './trunk-bench.ts'

const USAGE = `Usage: npm run bench -- [siprec|trunk|srtp|encryption|metadata] [--calls N] [--seconds S] [--complexity N] [--bitrate BPS]

Records calls from a load generator in a process of its own and prints what a second of call costs,
as a ratio to bare libopus on the same audio in the same run.

  siprec          recording sessions only
  trunk           calls that pass through only: also the delay that the relay adds, against the
                  same sockets without it
  srtp            what SRTP adds to each packet, and nothing else
  encryption      what encryption at rest adds to a second of call, and nothing else
  metadata        what a hostile body costs until it is given up, against reading an ordinary one

  --calls N       calls at once (100; trunk calls 40)
  --seconds S     how long the calls are measured (20)
  --complexity N  Opus complexity of the bare encoder; as configured in the gateway (3)
  --bitrate BPS   bit rate of each party, likewise (24000)

Trunk calls go over the direct plane, and over FreeSWITCH where a server of this machine is named:
TALLENNE_TEST_FREESWITCH=HOST:PORT:PASSWORD its event socket, and, unless the embedded SIP server is
to do, TALLENNE_TEST_DRACHTIO=HOST:PORT:SECRET:SIP-PORT a drachtio server.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: 'string' },
    seconds: { type: 'string', default: '20' },
    complexity: { type: 'string', default: '3' },
    bitrate: { type: 'string', default: '24000' },
    help: { type: 'boolean', default: false },
  },
})
const [only] = positionals
if (
  values.help ||
  positionals.length > 1 ||
  !['siprec', 'trunk', 'srtp', 'encryption', 'metadata', undefined].includes(only)
) {
  console.log(USAGE)
  process.exit(values.help ? 0 : 2)
}

const seconds = Number(values.seconds)
const opus = { complexity: Number(values.complexity), bitrateBps: Number(values.bitrate) }

tellNoise()
if (only === undefined || only === 'siprec')
  await benchSiprec({ calls: Number(values.calls ?? 100), seconds, opus })
if (only === undefined || only === 'trunk')
  await benchTrunk({ calls: Number(values.calls ?? 40), seconds, opus })
if (only === 'srtp') await benchSrtp({ opus })
if (only === 'encryption') await benchEncryption({ opus })
if (only === 'metadata') benchMetadata()
// What the machine was like at the end shows whether the figures between can be compared.
tellNoise()

function tellNoise(): void {
  const { medianMs, spread } = measureNoise()
  console.log(
    `machine: a fixed loop takes ${medianMs.toFixed(0)} ms, slowest ${spread.toFixed(2)} × fastest`,
  )
}
