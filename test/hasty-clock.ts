import type { Timer } from '../base/clock.ts'
import { SystemClock } from '../base/clock.ts'

/** The machine's own time, but what is waited for is given up sooner: for tests in which it never comes. */
export class HastyClock extends SystemClock {
  override after(delayMs: number, run: () => void): Timer {
    return super.after(delayMs / 10, run)
  }
}
