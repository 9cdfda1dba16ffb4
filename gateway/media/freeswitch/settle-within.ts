import type { Clock } from '../../../base/clock.ts'
import { TallenneError } from '../../../base/tallenne-error.ts'

/**
 * Settles as `work` does, or rejects with `media_timeout` after `withinMs`. Work of a FreeSWITCH that dies never
 * settles by itself; what it does after all goes to `late`.
 */
export function settleWithin<Value>(
  work: Promise<Value>,
  options: {
    readonly clock: Clock
    readonly withinMs: number
    /** What was asked for, as the end of "FreeSWITCH did not …". */
    readonly what: string
    readonly late?: (value: Value) => void
  },
): Promise<Value> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const timer = options.clock.after(options.withinMs, () => {
      isOver = true
      reject(
        new TallenneError(
          'media_timeout',
          `FreeSWITCH did not ${options.what} within ${options.withinMs} ms`,
        ),
      )
    })
    work.then(
      (value) => {
        timer.cancel()
        if (isOver) options.late?.(value)
        else resolve(value)
      },
      (error: unknown) => {
        timer.cancel()
        reject(error)
      },
    )
  })
}
