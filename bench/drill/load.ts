import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type PlacedCall, SiprecCaller } from '../../cli/caller/siprec-caller.ts'
import type { DrillCall, DrillLoad } from './drill-load.ts'
import { toneCode } from './tone-code.ts'

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
const calls = await Promise.all(placed.map(hangUp))
caller.close()
const load: DrillLoad = { calls, refusals }
console.log(JSON.stringify(load))

async function place(index: number): Promise<void> {
  try {
    const call = await caller.place({
      // The numbers before are service numbers.
      caller: `+1202555${String(110 + (index % 90)).padStart(4, '0')}`,
      agent: `${4000 + index}`,
      serviceNumber: '+12025550100',
      audio: [toneCode(2 * index), toneCode(2 * index + 1)],
    })
    placed.push({ index, call })
  } catch (error) {
    refusals.push(String(error))
  }
}

async function hangUp({ index, call }: (typeof placed)[number]): Promise<DrillCall> {
  await call.hangUp().catch(() => {
    // A recorder that is gone answers no BYE.
  })
  return {
    callId: call.callId,
    index,
    setupMs: call.setupMs,
    startedAtMs: call.startedAtMs,
    packets: Math.floor(call.sent / 2),
    wasEnded: call.wasEnded,
  }
}
