import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type AnsweredDialog, SipCaller } from '../cli/caller/sip-caller.ts'
import { type DelayFigures, DelayTally } from './delay-meter.ts'
import { setupFigures } from './load-figures.ts'
import { PacketIndex } from './packet-index.ts'
import { continuousSpeech, conversation } from './speech.ts'
import { TalkingPair } from './talking-pair.ts'
import { MEASURING, type TrunkLoadResult } from './trunk-load-result.ts'
import { writeTrunkInvite } from './trunk-messages.ts'
import { TrunkPlatform } from './trunk-platform.ts'

const PACKET_MS = 20
/** What is still on its way after so long is lost. */
const AWAIT_MS = 500

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: '127.0.0.1:5060' },
    platform: { type: 'string', default: '5070' },
    number: { type: 'string', default: '+12025550100' },
    calls: { type: 'string', default: '1' },
    rate: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '10' },
    settle: { type: 'string', default: '5' },
    audio: { type: 'string', default: 'talk' },
    voices: { type: 'string', default: 'cli/demo/voices' },
  },
})
const seconds = Number(values.seconds)
const audio =
  values.audio === 'conversation' ? conversation(values.voices) : continuousSpeech(values.voices)
const indexes = [new PacketIndex(audio[0]), new PacketIndex(audio[1])] as const

const pairs: TalkingPair[] = []
for (let number = 0; number < Number(values.calls); number++) {
  pairs.push(await TalkingPair.open(audio))
}
const platform = await TrunkPlatform.open(Number(values.platform), (number, media) => {
  const pair = pairs[number]
  pair?.platform.aim(media)
  return pair?.platform.port ?? 9
})
const [host = '', port] = values.to.split(':')
const caller = await SipCaller.open({ host, port: Number(port) })
const talking = startTalking()

for (const pair of pairs) pair.aimAtEachOther()
// The first packets pay for what is loaded and compiled then.
await delay(1000)
const bare = await measure(seconds)
for (const pair of pairs) pair.fallSilent()

const dialogs: AnsweredDialog[] = []
const callIds: string[] = []
const placing: Promise<void>[] = []
for (const [number, pair] of pairs.entries()) {
  placing.push(place(number, pair))
  await delay(1000 / Number(values.rate))
}
await Promise.all(placing)
await delay(Number(values.settle) * 1000)
console.log(MEASURING)
const relayed = await measure(seconds)
const packetsSent = pairs.reduce((sum, pair) => sum + pair.caller.sent + pair.platform.sent, 0)
for (const pair of pairs) pair.fallSilent()
await Promise.allSettled(dialogs.map((dialog) => dialog.sayBye()))
clearInterval(talking)
caller.close()
platform.close()
for (const pair of pairs) pair.close()

const result: TrunkLoadResult = {
  answered: dialogs.length,
  refused: pairs.length - dialogs.length,
  packetsSent,
  callIds,
  setupMs: setupFigures(dialogs.map(({ setupMs }) => setupMs)),
  bare,
  relayed,
}
console.log(JSON.stringify(result))

/** Pairs send at times of their own within a packet's 20 ms, so that the load is even. */
function startTalking(): NodeJS.Timeout {
  const startedMs = performance.now()
  const dueMs = pairs.map((_, number) => startedMs + (number * PACKET_MS) / pairs.length)
  return setInterval(() => {
    const nowMs = performance.now()
    for (const [number, pair] of pairs.entries()) {
      let nextMs = dueMs[number] ?? nowMs
      while (nextMs <= nowMs) {
        pair.sendNext()
        nextMs += PACKET_MS
      }
      dueMs[number] = nextMs
    }
  }, 1)
}

async function measure(forSeconds: number): Promise<DelayFigures> {
  const tally = new DelayTally()
  for (const pair of pairs) pair.measure(tally, indexes)
  await delay(forSeconds * 1000)
  tally.isOpen = false
  await delay(AWAIT_MS)
  return tally.figures
}

async function place(number: number, pair: TalkingPair): Promise<void> {
  const from = `+1202555${String(100 + (number % 100)).padStart(4, '0')}`
  const dialog = caller.newDialog(from, values.number)
  try {
    const rtpPort = pair.caller.port
    const answered = await caller.invite(dialog, (branch) =>
      writeTrunkInvite(dialog, branch, { number, rtpPort }),
    )
    pair.caller.aim(answered.media[0])
    dialogs.push(answered)
    callIds.push(dialog.callId)
  } catch (error) {
    pair.fallSilent()
    console.error(`call ${number}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
