import { parseArgs } from 'node:util'
import { type PlacedCall, SiprecCaller } from '../cli/caller/siprec-caller.ts'
import { type LoadFigures, setupFigures } from './load-figures.ts'
import { continuousSpeech, conversation } from './speech.ts'

const { values } = parseArgs({
  options: {
    to: { type: 'string' },
    calls: { type: 'string', default: '1' },
    rate: { type: 'string', default: '10' },
    hold: { type: 'string', default: '10' },
    audio: { type: 'string', default: 'talk' },
    voices: { type: 'string', default: 'cli/demo/voices' },
  },
})
const [host = '127.0.0.1', port = '5060'] = (values.to ?? '').split(':')
const audio =
  values.audio === 'conversation' ? conversation(values.voices) : continuousSpeech(values.voices)
const caller = await SiprecCaller.open({ host, port: Number(port) })
const placed: PlacedCall[] = []
let refused = 0

const lives: Promise<void>[] = []
for (let index = 0; index < Number(values.calls); index++) {
  lives.push(live(index))
  await pass(1000 / Number(values.rate))
}
await Promise.all(lives)
caller.close()

const result: LoadFigures = {
  answered: placed.length,
  refused,
  packetsSent: placed.reduce((sum, { sent }) => sum + sent, 0),
  callIds: placed.map(({ callId }) => callId),
  setupMs: setupFigures(placed.map(({ setupMs }) => setupMs)),
}
console.log(JSON.stringify(result))

async function live(index: number): Promise<void> {
  try {
    const call = await caller.place({
      caller: `+1202555${String(100 + (index % 100)).padStart(4, '0')}`,
      agent: `${4000 + index}`,
      serviceNumber: '+12025550100',
      audio,
    })
    placed.push(call)
    await pass(Number(values.hold) * 1000)
    await call.hangUp()
  } catch {
    refused++
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
