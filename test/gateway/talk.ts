import type { GatewayFolder } from './gateway-process.ts'
import { answeredLines, bothBodies, MULTIPART, metadata, offer } from './recording-offer.ts'
import { RtpSender } from './rtp-sender.ts'
import { type PeerCall, SipPeer } from './sip-peer.ts'

/** Places a call; a tone of each party's is sent to where it is answered, if it is. */
export async function placeCall(gateway: GatewayFolder, callId: string) {
  const peer = await SipPeer.open(gateway.sip)
  const parties = [await RtpSender.open(440), await RtpSender.open(1000)] as const
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
    async close() {
      await Promise.all(parties.map((party) => party.close()))
      await peer.close()
    },
  }
}

/** A call with a tone from each party, up and talking. */
export async function talk(gateway: GatewayFolder, callId: string) {
  const placed = await placeCall(gateway, callId)
  if (placed.status !== 200) throw new Error(`the INVITE got ${placed.status}`)
  return placed
}
