import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../base/tallenne-error.ts'
import type { ContactView, RecordingView } from '../../storage/model.ts'
import { awaitVerdict } from '../api/await-verdict.ts'
import type { PortalClient } from '../api/portal-client.ts'
import { MediaPorts } from './media-ports.ts'
import type { ReplaySession } from './replay-session.ts'
import type { SessionParties } from './session-body.ts'
import { type PlayedSession, SessionPlayer } from './session-player.ts'
import type { SipLink } from './sip-link.ts'

const VERDICT_WITHIN_MS = 60_000

/** What came of a session that was played. */
export type ReplayOutcome =
  | {
      readonly kind: 'recorded'
      readonly session: ReplaySession
      readonly played: PlayedSession
      readonly contact: ContactView
      readonly recording: RecordingView
    }
  | { readonly kind: 'failed'; readonly session: ReplaySession; readonly reason: string }

export interface PlayOptions {
  /** By the transport that the session is played over. */
  readonly linkOf: (session: ReplaySession) => SipLink
  readonly client: PortalClient
  readonly speed: number
  readonly partiesOf: (session: ReplaySession) => SessionParties
  readonly signal: AbortSignal
}

/** Plays sessions beside each other, as far apart as they were captured, and waits for the verdict of each. */
export async function playSessions(
  sessions: readonly ReplaySession[],
  options: PlayOptions,
): Promise<ReplayOutcome[]> {
  const firstMs = Math.min(...sessions.map(({ startMs }) => startMs))
  return Promise.all(
    sessions.map(async (session): Promise<ReplayOutcome> => {
      try {
        const waitMs = (session.startMs - firstMs) / options.speed
        await delay(waitMs, undefined, { signal: options.signal })
        return await playOne(session, options)
      } catch (error) {
        return { kind: 'failed', session, reason: messageOf(error) }
      }
    }),
  )
}

async function playOne(session: ReplaySession, options: PlayOptions): Promise<ReplayOutcome> {
  const { speed, signal, client } = options
  const link = options.linkOf(session)
  const ports = await MediaPorts.open(link.local.host, session.streams)
  try {
    const parties = options.partiesOf(session)
    const player = new SessionPlayer({ session, link, ports, speed, parties, signal })
    const played = await player.play()
    const ended = await awaitVerdict(played.callId, { client, withinMs: VERDICT_WITHIN_MS })
    if (ended !== undefined) return { kind: 'recorded', session, played, ...ended }
    const reason = `The session has no verdict ${VERDICT_WITHIN_MS / 1000} s after its end: see the gateway's log.`
    return { kind: 'failed', session, reason }
  } finally {
    ports.close()
  }
}
