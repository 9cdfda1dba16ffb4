import type { Clock } from '../../../base/clock.ts'
import { TallenneError } from '../../../base/tallenne-error.ts'
import type { Endpoint } from './media-server-surface.ts'

/** Longer than any bridge takes that comes about: some ticks of each channel's own timer. */
const BRIDGED_MS = 1000

/**
 * Bridges two endpoints and resolves when they hear each other, which is three to five packets after FreeSWITCH has
 * taken the command: what a party says until then is thrown away. Resolves as well where a second has passed without
 * FreeSWITCH's word of it. Rejects where it does not take the command, and
 * with `no_media` where the endpoint is gone.
 */
export async function bridgeEndpoints(
  endpoint: Endpoint,
  other: Endpoint,
  clock: Clock,
): Promise<void> {
  const { conn, uuid } = endpoint
  if (conn === null) throw new TallenneError('no_media', 'an endpoint to bridge is gone')
  const event = `esl::event::CHANNEL_BRIDGE::${uuid}`
  conn.subscribe('CHANNEL_BRIDGE')
  let stopWaiting = () => {}
  const bridged = new Promise<void>((resolve) => {
    const timer = clock.after(BRIDGED_MS, resolve)
    conn.on(event, resolve)
    stopWaiting = () => {
      timer.cancel()
      conn.removeListener(event, resolve)
    }
  })
  try {
    await endpoint.bridge(other)
    await bridged
  } finally {
    stopWaiting()
  }
}
