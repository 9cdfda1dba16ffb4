import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type PlacedCall, SiprecCaller } from '../../cli/caller/siprec-caller.ts'
import type { DrillLoad } from './drill-load.ts'
import { endDrillCall, placeDrillCall } from './placed-call.ts'

// Places calls, says `up` when all are placed, and hangs up when its standard input ends. Prints what it sent.

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: '127.0.0.1:5060' },
    calls: { type: 'string', default: '1' },
    rate: { type: 'string', default: '20' },
    first: { type: 'string', default: '0' },
  },
})
const [host = '', port = ''] = values.to.split(':')
const caller = await SiprecCaller.open({ host, port: Number(port) })
const first = Number(values.first)
const placed: { readonly index: number; readonly call: PlacedCall }[] = []
const refusals: string[] = []

const setups: Promise<void>[] = []
for (let index = first; index < first + Number(values.calls); index++) {
  setups.push(place(index))
  await delay(1000 / Number(values.rate))
}
await Promise.all(setups)
console.log('up')
for await (const _ of createInterface({ input: process.stdin })) {
  // Only its end says something.
}
const calls = await Promise.all(placed.map(({ index, call }) => endDrillCall(index, call)))
caller.close()
const load: DrillLoad = { calls, refusals }
console.log(JSON.stringify(load))

async function place(index: number): Promise<void> {
  try {
    placed.push({ index, call: await placeDrillCall(caller, index) })
  } catch (error) {
    refusals.push(String(error))
  }
}
