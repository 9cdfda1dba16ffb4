import type { GatewayFolder } from './gateway-process.ts'
import { answeredLines, bothBodies, MULTIPART, metadata, offer } from './recording-offer.ts'
import { RtpSender } from './rtp-sender.ts'
import { type PeerCall, SipPeer } from './sip-peer.ts'

/** A call with a tone from each party, up and talking. */
export async function talk(gateway: GatewayFolder, callId: string) {
  const peer = await SipPeer.open(gateway.sip)
  const [caller, agent] = [await RtpSender.open(440), await RtpSender.open(1000)]
  const call: PeerCall = peer.call({
    callId,
    to: 'sip:+12025550100@127.0.0.1',
    contentType: MULTIPART,
    body: bothBodies(
      offer([
        { port: caller.port, label: '1' },
        { port: agent.port, label: '2' },
      ]),
      metadata(),
    ),
  })
  const { status, body } = await call.invite()
  if (status !== 200) throw new Error(`the INVITE got ${status}`)
  const [first, second] = answeredLines(body)
  caller.start(first?.port ?? 0)
  agent.start(second?.port ?? 0)
  return {
    call,
    async spoken(packets: number) {
      while (caller.sent < packets) await new Promise((resolve) => setTimeout(resolve, 20))
    },
    async close() {
      await Promise.all([caller.close(), agent.close()])
      await peer.close()
    },
  }
}
