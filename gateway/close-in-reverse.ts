import type { Log } from '../base/log.ts'

/** Closes one thing; resolves to false where it hangs. */
export type Closing = () => unknown

/** Closes what was started, the last first. What cannot be closed is logged, and the rest goes on. */
export async function closeInReverse(closing: readonly Closing[], log: Log): Promise<boolean> {
  let isWhole = true
  for (const closeOne of closing.toReversed()) {
    try {
      if ((await closeOne()) === false) isWhole = false
    } catch (error) {
      log.error({ err: error }, 'not closed in order')
    }
  }
  return isWhole
}
