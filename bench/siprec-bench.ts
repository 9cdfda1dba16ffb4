import { setTimeout as delay } from 'node:timers/promises'
import { measureBareLibopus, measurePrismStream } from './bare-libopus.ts'
import { type BenchSettings, VOICES } from './bench-settings.ts'
import { beginCpuSpan } from './cpu-span.ts'
import { describeVerdicts } from './describe-verdicts.ts'
import type { LoadFigures } from './load-figures.ts'
import { RecorderUnderTest } from './recorder-under-test.ts'
import { runGenerator } from './run-generator.ts'
import { continuousSpeech, conversation, decoded, type PartyAudio } from './speech.ts'

/** New calls a second, and how long all are up before anything is measured. */
const RATE = 25
const SETTLE_S = 10

/** Recording sessions: what one costs, how fast it is answered, and what is lost. Prints. */
export async function benchSiprec(settings: BenchSettings): Promise<void> {
  const prismRatio = await measurePrismStream(decoded(continuousSpeech(VOICES)[0]), settings.opus)
  console.log(
    `prism-media’s encoder stream, fed a frame at a time: ${prismRatio.toFixed(2)} × the encoder beneath it`,
  )
  const talk = { name: 'both always talk', audio: 'talk', parties: continuousSpeech(VOICES) }
  const turns = { name: 'in conversation', audio: 'conversation', parties: conversation(VOICES) }
  await withRecorder(async (recorder) => {
    await measureSetup(recorder)
    await measureLoad(talk, settings, recorder)
  })
  // What one load has taken of the system's memory would hide what the other needs.
  await withRecorder((recorder) => measureLoad(turns, settings, recorder))
}

async function withRecorder(measure: (recorder: RecorderUnderTest) => Promise<void>) {
  const recorder = await RecorderUnderTest.start()
  try {
    await measure(recorder)
  } finally {
    await recorder.stop()
  }
}

/** INVITE to 200 with nothing else to do. */
async function measureSetup({ sip }: RecorderUnderTest): Promise<void> {
  const { setupMs } = await generate(sip, { calls: 100, rate: 10, hold: 0.2, audio: 'talk' })
  console.log(
    `INVITE to 200, idle: p50 ${setupMs.p50.toFixed(1)} ms, p99 ${setupMs.p99.toFixed(1)} ms, worst ${setupMs.max.toFixed(1)} ms`,
  )
}

async function measureLoad(
  load: { readonly name: string; readonly audio: string; readonly parties: PartyAudio },
  { calls, seconds, opus }: BenchSettings,
  recorder: RecorderUnderTest,
): Promise<void> {
  const bareMs = measureBareLibopus(load.parties.map(decoded), opus)
  const few = await residentBytes(Math.ceil(calls / 4), load.audio, recorder)
  const rampS = calls / RATE
  const hold = rampS + SETTLE_S + seconds + 2
  const generated = generate(recorder.sip, { calls, rate: RATE, hold, audio: load.audio })
  await delay((rampS + SETTLE_S) * 1000)
  const span = beginCpuSpan(() => recorder.gatewayFigures)
  await delay(seconds * 1000)
  const costMs = span() / calls
  const { residentBytes: bytes } = recorder.gatewayFigures
  const result = await generated
  const memoryKib = (bytes - few.bytes) / 1024 / (result.answered - few.answered)
  console.log(`${load.name}, ${calls} calls at once:`)
  console.log(`  CPU for a second of call      ${costMs.toFixed(2)} ms`)
  console.log(`  bare libopus, same audio      ${bareMs.toFixed(2)} ms`)
  console.log(`  ratio                         ${(costMs / bareMs).toFixed(2)}`)
  console.log(`  memory for a further call     ${memoryKib.toFixed(0)} KiB`)
  console.log(
    `  with the first ${few.answered} of them       ${(few.bytes / 2 ** 20).toFixed(0)} MiB`,
  )
  console.log(
    `  INVITE to 200                 p50 ${result.setupMs.p50.toFixed(1)} ms, p99 ${result.setupMs.p99.toFixed(1)} ms`,
  )
  console.log(`  ${await describeVerdicts(result, recorder)}`)
}

/**
 * Of the gateway with so many calls. The first ones bring along what is not theirs: code that is compiled and heaps that
 * grow to their size, so that what a call costs is told by how much more further ones need.
 */
async function residentBytes(
  calls: number,
  audio: string,
  recorder: RecorderUnderTest,
): Promise<{ readonly bytes: number; readonly answered: number }> {
  const upS = calls / RATE + SETTLE_S
  const generated = generate(recorder.sip, { calls, rate: RATE, hold: upS + 2, audio })
  await delay(upS * 1000)
  const { residentBytes: bytes } = recorder.gatewayFigures
  const { answered } = await generated
  return { bytes, answered }
}

function generate(
  to: string,
  load: {
    readonly calls: number
    readonly rate: number
    readonly hold: number
    readonly audio: string
  },
): Promise<LoadFigures> {
  return runGenerator<LoadFigures>('load-generator', { to, ...load })
}
