import type { Test } from 'tap'
import type { GatewayFolder } from './gateway-process.ts'
import { answeredLines, bothBodies, MULTIPART, metadata, offer } from './recording-offer.ts'
import { RtpSender } from './rtp-sender.ts'
import { type PeerCall, SipPeer } from './sip-peer.ts'

/** Places a call; a tone of each party's is sent to where it is answered, if it is. It ends with the test at the latest. */
export async function placeCall(t: Pick<Test, 'teardown'>, gateway: GatewayFolder, callId: string) {
  const peer = await SipPeer.open(gateway.sip)
  const parties = [await RtpSender.open(440), await RtpSender.open(1000)] as const
  const close = async () => {
    await Promise.all(parties.map((party) => party.close()))
    await peer.close()
  }
  t.teardown(close)
  const lines = parties.map(({ port }, index) => ({ port, label: `${index + 1}` }))
  const call: PeerCall = peer.call({
    callId,
    to: 'sip:+12025550100@127.0.0.1',
    contentType: MULTIPART,
    body: bothBodies(offer(lines), metadata()),
  })
  const { status, headers, body } = await call.invite()
  if (status === 200) {
    for (const [index, line] of answeredLines(body).entries()) parties[index]?.start(line.port)
  }
  return {
    call,
    status,
    headers,
    /** What was offered. */
    lines,
    /** Waits until each party has said so many packets more. */
    async spoken(packets: number) {
      await Promise.all(parties.map((party) => party.says(packets)))
    },
    /** Without a word to the gateway. */
    close,
  }
}

/** A call with a tone from each party, up and talking. */
export async function talk(t: Pick<Test, 'teardown'>, gateway: GatewayFolder, callId: string) {
  const placed = await placeCall(t, gateway, callId)
  if (placed.status !== 200) throw new Error(`the INVITE got ${placed.status}`)
  return placed
}
