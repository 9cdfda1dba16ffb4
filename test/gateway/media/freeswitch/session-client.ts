import type { Test } from 'tap'
import {
  answeredLines,
  bothBodies,
  MULTIPART,
  metadata,
  type OfferedLine,
  offer,
} from '../../recording-offer.ts'
import { RtpSender } from '../../rtp-sender.ts'
import type { SessionNode } from './session-node.ts'

/** The parties of a client's call, each with a tone of its own. */
export async function openParties(t: Test, protect?: (packet: Buffer) => Buffer) {
  const parties = [await RtpSender.open(440, protect), await RtpSender.open(1000, protect)] as const
  t.teardown(() => Promise.all(parties.map((party) => party.close())))
  return parties
}

/** An offered line for each party. */
export function linesOf(
  parties: readonly [RtpSender, RtpSender],
  changes: Partial<OfferedLine> = {},
): readonly [OfferedLine, OfferedLine] {
  const [first, second] = parties
  return [
    { port: first.port, label: '1', ...changes },
    { port: second.port, label: '2', ...changes },
  ]
}

/** What an INVITE with metadata takes. */
export function invite(sdp: string, callId: string) {
  return {
    callId,
    to: 'sip:+12025550100@127.0.0.1',
    contentType: MULTIPART,
    body: bothBodies(sdp, metadata()),
  }
}

/** The parties talk to where the answer says. */
export function speakTo(parties: readonly RtpSender[], answer: string): void {
  const ports = answeredLines(answer).filter(({ media, port }) => media === 'audio' && port > 0)
  for (const [at, party] of parties.entries()) party.start(ports[at]?.port ?? 9)
}

/** A session that is up, its parties talking. */
export async function talk(t: Test, node: SessionNode, callId: string) {
  const parties = await openParties(t)
  const call = node.peer.call(invite(offer(linesOf(parties)), callId))
  const answer = await call.invite()
  speakTo(parties, answer.body)
  return { call, parties, answer }
}
