import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SiprecCaller } from '../../cli/caller/siprec-caller.ts'
import type { DrillCall } from './drill-load.ts'
import { endDrillCall, placeDrillCall } from './placed-call.ts'

// Keeps calls up for so long, one after the other in each place. Prints a line of JSON for each that ended, and a line
// `refused …` for each that was not taken.

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: '127.0.0.1:5060' },
    calls: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    hold: { type: 'string', default: '60' },
  },
})
const [host = '', port = ''] = values.to.split(':')
const caller = await SiprecCaller.open({ host, port: Number(port) })
const calls = Number(values.calls)
const holdMs = Number(values.hold) * 1000
const endsAtMs = performance.now() + Number(values.seconds) * 1000

await Promise.all(Array.from({ length: calls }, (_, place) => keepUp(place)))
caller.close()

/** Calls of a place begin evenly spread over the length of one. */
async function keepUp(place: number): Promise<void> {
  await delay((place / calls) * holdMs)
  for (let round = 0; performance.now() < endsAtMs; round++) {
    try {
      console.log(JSON.stringify(await live(round * calls + place)))
    } catch (error) {
      console.log(`refused ${String(error)}`)
      await delay(1000)
    }
  }
}

async function live(index: number): Promise<DrillCall> {
  const call = await placeDrillCall(caller, index)
  await delay(Math.min(holdMs, Math.max(0, endsAtMs - performance.now())))
  return endDrillCall(index, call)
}
