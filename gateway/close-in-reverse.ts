import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { settledWithin } from '../base/settled-within.ts'

/** How one thing is closed that was started. */
export interface Closing {
  readonly name: string
  /** Resolves to false where it hangs. */
  readonly close: () => unknown
  /** Of the time for all, what those that close before leave to it; nothing by default. */
  readonly keptMs?: number
}

/**
 * Closes what was started, the last first, within so many milliseconds in all. What cannot be closed is logged, and the
 * rest goes on; so is what takes longer than the time that is not kept for others. Tells whether nothing hangs.
 */
export async function closeInReverse(
  closing: readonly Closing[],
  { withinMs, clock, log }: { readonly withinMs: number; readonly clock: Clock; readonly log: Log },
): Promise<boolean> {
  const endAtMs = clock.monotonicMs() + withinMs
  let keptForOthersMs = closing.reduce((sum, { keptMs = 0 }) => sum + keptMs, 0)
  let isWhole = true
  for (const { name, close, keptMs = 0 } of closing.toReversed()) {
    keptForOthersMs -= keptMs
    const limitMs = Math.max(0, endAtMs - clock.monotonicMs() - keptForOthersMs)
    const closeOne = async () => {
      if ((await close()) === false) isWhole = false
    }
    try {
      if (await settledWithin(closeOne(), { clock, limitMs })) continue
      isWhole = false
      log.error({ part: name, waitedMs: Math.round(limitMs) }, 'not closed in time')
    } catch (error) {
      log.error({ part: name, err: error }, 'not closed in order')
    }
  }
  return isWhole
}
