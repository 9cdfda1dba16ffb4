import { setTimeout as delay } from 'node:timers/promises'
import { formatAddress } from '../base/address.ts'
import { measureBareLibopus } from './bare-libopus.ts'
import { type BenchSettings, VOICES } from './bench-settings.ts'
import { beginCpuSpan } from './cpu-span.ts'
import type { DelayFigures } from './delay-meter.ts'
import { describeVerdicts } from './describe-verdicts.ts'
import { freeAddress } from './free-address.ts'
import { namedServers } from './named-servers.ts'
import { readProcessFigures } from './process-figures.ts'
import { RecorderUnderTest } from './recorder-under-test.ts'
import { runGenerator } from './run-generator.ts'
import { continuousSpeech, conversation, decoded, type PartyAudio } from './speech.ts'
import { MEASURING, type TrunkLoadResult } from './trunk-load-result.ts'
import { configFor, directPlane, freeswitchPlane, NUMBER, type TrunkPlane } from './trunk-planes.ts'

const WARM_UP_TRIES = 10
/** New calls a second. FreeSWITCH takes a session for each party, and some take thirty a second at most. */
const RATE = 5

interface Bed {
  readonly plane: TrunkPlane
  readonly recorder: RecorderUnderTest
  /** Port of loopback where the platform listens. */
  readonly platformPort: number
}

/** CPU of the whole load, ms each second. */
interface Cost {
  readonly gatewayMs: number
  /** Undefined where FreeSWITCH is not in the call, or its process cannot be seen. */
  readonly freeswitchMs: number | undefined
}

/** Calls that pass through, on each plane: what they cost, and how much later their sound arrives. Prints. */
export async function benchTrunk(settings: BenchSettings): Promise<void> {
  await benchPlane(directPlane, settings)
  const { freeswitch, drachtio } = namedServers(process.env)
  if (freeswitch === undefined) {
    console.log('trunk, freeswitch: skipped, since TALLENNE_TEST_FREESWITCH names no server')
    return
  }
  await benchPlane(freeswitchPlane(freeswitch, drachtio), settings)
}

async function benchPlane(plane: TrunkPlane, settings: BenchSettings): Promise<void> {
  const platform = await freeAddress(15_160, ['udp'])
  const recorder = await RecorderUnderTest.start(configFor(plane, formatAddress(platform)))
  const bed = { plane, recorder, platformPort: platform.port }
  try {
    await warmUp(bed)
    const talk = { name: 'both always talk', audio: 'talk', parties: continuousSpeech(VOICES) }
    await measureLoad(talk, settings, bed)
    const turns = { name: 'in conversation', audio: 'conversation', parties: conversation(VOICES) }
    await measureLoad(turns, settings, bed)
  } finally {
    await recorder.stop()
  }
}

/** Calls until one is answered: a recorder is ready before it has found its media servers. */
async function warmUp(bed: Bed): Promise<void> {
  for (let attempt = 0; attempt < WARM_UP_TRIES; attempt++) {
    const { answered } = await generate(bed, { calls: 1, seconds: 1, settle: 0, audio: 'talk' })
    if (answered > 0) return
  }
  throw new Error(`no trunk call is answered on the ${bed.plane.name} plane`)
}

async function measureLoad(
  load: { readonly name: string; readonly audio: string; readonly parties: PartyAudio },
  { calls, seconds, opus }: BenchSettings,
  bed: Bed,
): Promise<void> {
  const { plane, recorder } = bed
  const bareMs = measureBareLibopus(load.parties.map(decoded), opus)
  const { freeswitchPid: pid } = plane
  let cost: Promise<Cost> | undefined
  const measureCost = async () => {
    const gateway = beginCpuSpan(() => recorder.gatewayFigures)
    const freeswitch = pid === undefined ? undefined : beginCpuSpan(() => readProcessFigures(pid))
    await delay(seconds * 1000)
    return { gatewayMs: gateway(), freeswitchMs: freeswitch?.() }
  }
  const result = await generate(bed, { calls, seconds, settle: 5, audio: load.audio }, (line) => {
    if (line === MEASURING) cost = measureCost()
  })
  if (cost === undefined) throw new Error('the load was never up')
  const { answered, relayed } = result
  const { sent, lost } = relayed
  if (lost === sent) throw new Error(`none of ${sent} packets passed the ${plane.name} plane`)
  console.log(`trunk, ${plane.name}, ${load.name}, ${answered} calls at once:`)
  for (const line of describeCost(await cost, { answered, bareMs, plane })) console.log(line)
  console.log(`  delay, sockets alone          ${describeDelay(result.bare)}`)
  console.log(`  delay, through the relay      ${describeDelay(relayed)}`)
  console.log(`  delay that the relay adds     ${describeAdded(result)}`)
  console.log(`  packets between the parties   ${sent} sent, ${lost} lost`)
  console.log(
    `  INVITE to 200                 p50 ${result.setupMs.p50.toFixed(1)} ms, p99 ${result.setupMs.p99.toFixed(1)} ms`,
  )
  console.log(`  ${await describeVerdicts(result, recorder)}`)
}

function describeCost(
  cost: Cost,
  {
    answered,
    bareMs,
    plane,
  }: { readonly answered: number; readonly bareMs: number; readonly plane: TrunkPlane },
): string[] {
  const gatewayMs = cost.gatewayMs / answered
  const freeswitch =
    cost.freeswitchMs === undefined
      ? 'unknown, no process of this machine'
      : `${(cost.freeswitchMs / answered).toFixed(2)} ms`
  return [
    `  CPU for a second of call      ${gatewayMs.toFixed(2)} ms`,
    ...(plane.name === 'freeswitch' ? [`  FreeSWITCH’s own beside it    ${freeswitch}`] : []),
    `  bare libopus, same audio      ${bareMs.toFixed(2)} ms`,
    `  ratio                         ${(gatewayMs / bareMs).toFixed(2)}`,
  ]
}

function describeDelay({ delayMs }: DelayFigures): string {
  const { p50, p99, max } = delayMs
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, worst ${max.toFixed(1)} ms`
}

function describeAdded({ bare, relayed }: TrunkLoadResult): string {
  const [before, after] = [bare.delayMs, relayed.delayMs]
  const p50 = (after.p50 - before.p50).toFixed(2)
  const p99 = (after.p99 - before.p99).toFixed(2)
  return `p50 ${p50} ms, p99 ${p99} ms, worst ${(after.max - before.max).toFixed(1)} ms`
}

function generate(
  { plane, recorder, platformPort }: Bed,
  load: {
    readonly calls: number
    readonly seconds: number
    readonly settle: number
    readonly audio: string
  },
  onLine?: (line: string) => void,
): Promise<TrunkLoadResult> {
  const to = plane.sip ?? recorder.sip
  const places = { to, platform: platformPort, number: NUMBER, rate: RATE }
  return runGenerator<TrunkLoadResult>('trunk-load', { ...places, ...load }, onLine)
}
