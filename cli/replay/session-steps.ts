import type { CapturedRequest } from './captured-call.ts'
import type { MediaPacket, ReplaySession } from './replay-session.ts'

/** One thing that happens after a session's answer, at a moment of the capture. */
export type SessionStep =
  | {
      readonly kind: 'media'
      readonly atMs: number
      readonly index: number
      readonly packet: MediaPacket
    }
  | { readonly kind: 'request'; readonly atMs: number; readonly request: CapturedRequest }
  | { readonly kind: 'bye'; readonly atMs: number }

/** All that happens after a session's answer, in order. A session of which the capture holds no BYE ends with one. */
export function stepsOf({ streams, call, endMs }: ReplaySession): SessionStep[] {
  const media = streams.flatMap(({ index, packets }) =>
    packets.map((packet): SessionStep => ({ kind: 'media', atMs: packet.atMs, index, packet })),
  )
  const requests = (call?.isRecordingSession === true ? call.requests : []).map(
    (request): SessionStep => ({ kind: 'request', atMs: request.atMs, request }),
  )
  const hasBye = requests.some(
    (step) => step.kind === 'request' && step.request.message.method === 'BYE',
  )
  const bye: SessionStep[] = hasBye ? [] : [{ kind: 'bye', atMs: endMs }]
  return [...media, ...requests, ...bye].sort((a, b) => a.atMs - b.atMs)
}
