import { setTimeout as delay } from 'node:timers/promises'
import { continuousSpeech, conversation } from '../../bench/speech.ts'
import { RtpSender } from '../../cli/caller/rtp-sender.ts'
import { SipCaller } from '../../cli/caller/sip-caller.ts'
import { writeRecordingInvite } from '../../cli/caller/siprec-messages.ts'

const VOICES = 'cli/demo/voices'
const PACKET_MS = 20
const QUIET = new Uint8Array(160).fill(0xff)
const NUMBERS = ['+12025550100', '+12025550100', '+12025550100', '+12025550101'] as const

/** What a call is like: most are in order. */
interface Manner {
  /** Share of packets that never come. */
  readonly loss: number
  /** Neither party says anything. */
  readonly isQuiet: boolean
  /** The agent's leg sends nothing. */
  readonly isOneSided: boolean
}

/**
 * Recording sessions that come and go as in a contact centre of a few agents: a burst in the middle, and now and then a
 * call with losses, of one side, or without a word.
 */
export async function placeEventfulCalls(
  to: { readonly host: string; readonly port: number },
  { seconds }: { readonly seconds: number },
): Promise<void> {
  const sip = await SipCaller.open(to)
  const endsAt = performance.now() + seconds * 1000
  const calls: Promise<void>[] = []
  const startedAt = performance.now()
  for (let index = 0; performance.now() < endsAt - 12_000; index++) {
    calls.push(placeCall(sip, index).catch(() => undefined))
    const share = (performance.now() - startedAt) / (seconds * 1000)
    const isBurst = share > 0.45 && share < 0.6
    await delay(isBurst ? 500 : 1400 + 1600 * Math.random())
  }
  await Promise.all(calls)
  sip.close()
}

function mannerOf(index: number): Manner {
  return {
    loss: index % 9 === 4 ? 0.03 : index % 17 === 8 ? 0.12 : 0.0005,
    isQuiet: index % 23 === 11,
    isOneSided: index % 19 === 6,
  }
}

async function placeCall(sip: SipCaller, index: number): Promise<void> {
  const manner = mannerOf(index)
  const speech = index % 2 === 0 ? conversation(VOICES) : continuousSpeech(VOICES)
  const [callers, agents] = manner.isQuiet ? [QUIET, QUIET] : speech
  const { address } = sip.local
  const senders = [await RtpSender.open(address, callers), await RtpSender.open(address, agents)]
  const dialog = sip.newDialog('src', NUMBERS[index % NUMBERS.length] ?? NUMBERS[0])
  const rtpPorts = [senders[0]?.port ?? 0, senders[1]?.port ?? 0] as const
  const caller = `+120255501${String(index % 100).padStart(2, '0')}`
  try {
    const answered = await sip.invite(dialog, (branch) =>
      writeRecordingInvite(dialog, branch, { caller, agent: `${4000 + (index % 12)}`, rtpPorts }),
    )
    await speak(senders, answered.media, { ...manner, seconds: 6 + 12 * Math.random() })
    await answered.sayBye()
  } finally {
    for (const sender of senders) sender.close()
  }
}

/** A lost packet is one that is sent to nobody. */
async function speak(
  senders: readonly RtpSender[],
  peers: readonly ({ readonly address: string; readonly port: number } | undefined)[],
  { loss, isOneSided, seconds }: Manner & { readonly seconds: number },
): Promise<void> {
  const startedAt = performance.now()
  for (let tick = 0; tick * PACKET_MS < seconds * 1000; tick++) {
    const aheadMs = tick * PACKET_MS - (performance.now() - startedAt)
    if (aheadMs > 0) await delay(aheadMs)
    for (const [leg, sender] of senders.entries()) {
      const peer = peers[leg]
      if (peer === undefined || (isOneSided && leg === 1)) continue
      sender.aim(Math.random() < loss ? { address: peer.address, port: 9 } : peer)
      sender.sendNext()
    }
  }
}
