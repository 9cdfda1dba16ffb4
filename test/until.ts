import { setTimeout as delay } from 'node:timers/promises'

/** So long tests wait for anything. It is no measure: what comes comes in less, on a machine that does much else too. */
export const WAIT_MS = 120_000

/**
 * Waits until `find` finds something, or until what it asks is so, and resolves with what it found. The error of a wait
 * in vain quotes `find`.
 */
export async function until<Found>(
  find: () => Found | false | undefined | Promise<Found | false | undefined>,
  lookEveryMs = 5,
): Promise<Found> {
  const giveUpAt = Date.now() + WAIT_MS
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    if (Date.now() > giveUpAt) throw new Error(`waited ${WAIT_MS} ms in vain for ${find}`)
    await delay(lookEveryMs)
  }
}
