import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { PortalClient } from '../api/portal-client.ts'
import type { Terminal } from '../verb.ts'
import { formatSight } from './live-line.ts'

const callsSchema = z.object({
  items: z.array(
    z.looseObject({
      callId: z.string(),
      durationMs: z.number().nullable(),
      bytes: z.number().nullable(),
      levelsDb: z.tuple([z.number(), z.number()]).nullable(),
    }),
  ),
})

const LOOK_EVERY_MS = 200
/** Without a terminal a line every few seconds tells enough. */
const LINE_EVERY_MS = 3000
const SILENT_DB = -100

/**
 * Shows a live call until `durationMs` have passed or the operator stops it: on a terminal in a line that is
 * written again and again, else in a few plain lines.
 */
export async function watchCall(
  call: { readonly callId: string; readonly durationMs: number },
  { client, terminal }: { readonly client: PortalClient; readonly terminal: Terminal },
): Promise<void> {
  const stopped = terminal.stopSignal()
  const startedMs = performance.now()
  let toldMs = startedMs
  // A plain line tells the loudest since the line before it.
  let loudest: readonly [number, number] = [SILENT_DB, SILENT_DB]
  for (;;) {
    const nowMs = performance.now()
    const elapsedMs = nowMs - startedMs
    if (elapsedMs >= call.durationMs || stopped.aborted) break
    const { items } = await client.read('/api/calls', callsSchema)
    const seen = items.find(({ callId }) => callId === call.callId)
    if (seen?.levelsDb && seen.durationMs !== null) {
      const { durationMs, levelsDb } = seen
      const bytes = seen.bytes ?? 0
      loudest = [Math.max(loudest[0], levelsDb[0]), Math.max(loudest[1], levelsDb[1])]
      if (terminal.isInteractive) terminal.rewrite(formatSight({ durationMs, bytes, levelsDb }))
      else if (nowMs - toldMs >= LINE_EVERY_MS) {
        terminal.print(formatSight({ durationMs, bytes, levelsDb: loudest }))
        loudest = [SILENT_DB, SILENT_DB]
        toldMs = nowMs
      }
    }
    const restMs = Math.min(LOOK_EVERY_MS, call.durationMs - elapsedMs)
    await delay(restMs, undefined, { signal: stopped }).catch(() => {})
  }
  if (terminal.isInteractive) terminal.rewrite('')
}
