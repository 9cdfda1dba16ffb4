import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { formatTable } from '../../cli/table.ts'
import { startGenerator } from '../run-generator.ts'
import type { DrillCall } from './drill-load.ts'
import { PACKET_MS } from './hear-party.ts'
import { judgeCall } from './judge-calls.ts'
import { Site } from './site.ts'
import { readGrowth, type SoakSample, sampleSite } from './soak-figures.ts'

const USAGE = `Usage: npm run soak -- [--calls N] [--minutes M] [--hold S] [--listen N]

Keeps calls up on an installation of its own, and prints whether memory, files and sockets stay flat
and every call is complete, with a line for each that is not. By ear it checks every Nth call, for
that costs CPU beside the recorder.

  --calls N    calls that are up at any time (60)
  --minutes M  how long (60)
  --hold S     how long each call lasts, seconds (60)
  --listen N   every Nth call is listened to (10); the rows of all are read`

const SAMPLE_MS = 10_000
const PARTIES = ['caller', 'agent']

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '60' },
    hold: { type: 'string', default: '60' },
    listen: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(USAGE)
else await soak()

async function soak(): Promise<void> {
  const site = await Site.start()
  const samples: SoakSample[] = []
  const tally = { calls: 0, refused: 0, incomplete: 0, listened: 0, lostMs: 0, packets: 0 }
  const judging: Promise<void>[] = []
  const judge = async (call: DrillCall) => {
    const judged = await judgeCall(site, call, {
      isHeard: call.index % Number(values.listen) === 0,
    })
    const states = judged?.contact.recordings.map(({ state }) => state) ?? []
    if (states.length !== 1 || states[0] !== 'complete') {
      tally.incomplete++
      console.log(`${call.callId}: ${states.join(' and ') || 'no verdict'}`)
    }
    if (judged?.lost === undefined) return
    tally.listened++
    for (const [side, stretches] of judged.lost.entries()) {
      for (const { atMs, lengthMs } of stretches) {
        tally.lostMs += lengthMs
        const ofMs = call.packets * PACKET_MS
        console.log(
          `${call.callId}: ${PARTIES[side]} unheard for ${lengthMs} ms at ${atMs} of ${ofMs} ms`,
        )
      }
    }
  }
  const sampling = setInterval(() => {
    void sampleSite(site).then((sample) => sample && samples.push(sample))
  }, SAMPLE_MS)
  try {
    const { calls, hold, minutes } = values
    const options = { to: site.sip, calls, hold, seconds: Number(minutes) * 60 }
    const { stdout } = startGenerator('drill/soak-load', options)
    for await (const line of createInterface({ input: stdout })) {
      if (!line.startsWith('{')) {
        tally.refused++
        console.log(line)
        continue
      }
      const call = JSON.parse(line) as DrillCall
      tally.calls++
      tally.packets += 2 * call.packets
      judging.push(judge(call))
    }
    await Promise.all(judging)
  } finally {
    clearInterval(sampling)
    await site.stop()
  }
  console.log(
    `${tally.calls} calls, ${tally.refused} refused, ${tally.packets} packets; ${tally.incomplete} without the verdict complete; ${tally.listened} listened to, ${tally.lostMs} ms of them lost`,
  )
  const rows = readGrowth(samples)
  for (const line of formatTable(['', 'first third', 'last third', 'growth'], rows))
    console.log(line)
  const isFlawless = tally.incomplete === 0 && tally.refused === 0 && tally.lostMs === 0
  // Without calls nothing was shown.
  if (tally.calls === 0 || !isFlawless) process.exitCode = 1
}
