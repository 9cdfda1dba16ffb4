import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { g711Table } from '../recorder/g711.ts'
import { measureBareLibopus, measurePrismStream } from './bare-libopus.ts'
import type { LoadResult } from './load-generator.ts'
import { measureNoise, percentile } from './machine-noise.ts'
import { RecorderUnderTest } from './recorder-under-test.ts'
import { continuousSpeech, conversation, type PartyAudio } from './speech.ts'

const USAGE = `Usage: npm run bench -- [--calls N] [--seconds S] [--complexity N] [--bitrate BPS]

Records SIPREC calls from a load generator in a process of its own and prints what a second of call
costs, as a ratio to bare libopus on the same audio in the same run.

  --calls N       calls at once (100)
  --seconds S     how long the calls are measured (20)
  --complexity N  Opus complexity of the bare encoder; as configured in the gateway (5)
  --bitrate BPS   bit rate of each party, likewise (20000)`

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    complexity: { type: 'string', default: '5' },
    bitrate: { type: 'string', default: '20000' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}

const VOICES = 'cli/demo/voices'
const calls = Number(values.calls)
const seconds = Number(values.seconds)
const opus = { complexity: Number(values.complexity), bitrateBps: Number(values.bitrate) }

const noise = measureNoise()
console.log(
  `machine: a fixed loop takes ${noise.medianMs.toFixed(0)} ms, slowest ${noise.spread.toFixed(2)} × fastest`,
)

const prismRatio = await measurePrismStream(decoded(continuousSpeech(VOICES)[0]), opus)
console.log(
  `prism-media’s encoder stream, fed a frame at a time: ${prismRatio.toFixed(2)} × the encoder beneath it`,
)

const recorder = await RecorderUnderTest.start({ sip: 15_080, http: 18_100 })
try {
  await measureSetup()
  await measureLoad('both always talk', 'talk', continuousSpeech(VOICES))
  await measureLoad('in conversation', 'conversation', conversation(VOICES))
} finally {
  await recorder.stop()
}

function decoded(audio: Uint8Array): Int16Array {
  const table = g711Table('PCMU')
  return Int16Array.from(audio, (code) => table[code] ?? 0)
}

/** INVITE to 200 with nothing else to do. */
async function measureSetup(): Promise<void> {
  const { setupMs } = await generate({ calls: 100, rate: 10, hold: 0.2, audio: 'talk' })
  console.log(
    `INVITE to 200, idle: p50 ${setupMs.p50.toFixed(1)} ms, p99 ${setupMs.p99.toFixed(1)} ms, worst ${setupMs.max.toFixed(1)} ms`,
  )
}

async function measureLoad(name: string, audio: string, parties: PartyAudio): Promise<void> {
  const bareMs = measureBareLibopus(parties.map(decoded), opus)
  const before = recorder.gatewayFigures
  const rate = 25
  const rampS = calls / rate
  const settleS = 5
  const generated = generate({ calls, rate, hold: rampS + settleS + seconds + 2, audio })
  await delay((rampS + settleS) * 1000)
  const started = { figures: recorder.gatewayFigures, atMs: performance.now() }
  await delay(seconds * 1000)
  const ended = { figures: recorder.gatewayFigures, atMs: performance.now() }
  const result = await generated
  const elapsedS = (ended.atMs - started.atMs) / 1000
  const costMs = (ended.figures.cpuMs - started.figures.cpuMs) / elapsedS / calls
  const memoryKib = (ended.figures.residentBytes - before.residentBytes) / 1024 / calls
  console.log(`${name}, ${calls} calls at once:`)
  console.log(`  CPU for a second of call      ${costMs.toFixed(2)} ms`)
  console.log(`  bare libopus, same audio      ${bareMs.toFixed(2)} ms`)
  console.log(`  ratio                         ${(costMs / bareMs).toFixed(2)}`)
  console.log(`  memory for a call             ${memoryKib.toFixed(0)} KiB`)
  console.log(
    `  INVITE to 200                 p50 ${result.setupMs.p50.toFixed(1)} ms, p99 ${result.setupMs.p99.toFixed(1)} ms`,
  )
  console.log(`  ${await describeLoss(result)}`)
}

async function describeLoss(result: LoadResult): Promise<string> {
  // The verdicts come with the calls' ends; the last rows are a moment behind.
  for (let attempt = 0; attempt < 50; attempt++) {
    const contacts = await recorder.contactsOf(result.callIds)
    const recordings = contacts.flatMap((contact) => contact.recordings)
    const judged = recordings.filter(({ state }) => state !== 'recording')
    if (judged.length < result.answered) {
      await delay(200)
      continue
    }
    const complete = judged.filter(({ state }) => state === 'complete').length
    const lostMs = judged.reduce((sum, { lostMs: lost }) => sum + (lost ?? 0), 0)
    const worstMs = percentile(
      judged.map(({ lostMs: lost }) => lost ?? 0),
      1,
    )
    return (
      `calls ${result.answered} answered, ${result.refused} refused, ${complete} complete; ` +
      `${result.packetsSent} packets sent, ${lostMs} ms lost in all (worst call ${worstMs} ms)`
    )
  }
  return 'not every call has its verdict after ten seconds'
}

async function generate(load: {
  readonly calls: number
  readonly rate: number
  readonly hold: number
  readonly audio: string
}): Promise<LoadResult> {
  const options = Object.entries(load).flatMap(([name, value]) => [`--${name}`, `${value}`])
  const child = spawn(
    process.execPath,
    ['build/bench/load-generator.js', '--to', recorder.sip, ...options],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let told = ''
  child.stdout.on('data', (chunk) => {
    told += String(chunk)
  })
  await once(child, 'exit')
  return JSON.parse(told) as LoadResult
}
