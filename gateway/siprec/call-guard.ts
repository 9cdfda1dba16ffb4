import type { Log } from '../../base/log.ts'
import type { SipResponse } from '../sip/sip-surface.ts'

/** Runs what may throw, and handles what is thrown. */
export type CallGuard = (work: () => void | Promise<void>, response?: SipResponse) => void

/** What is thrown in one call is logged here, answered 500, and ends that call alone. */
export function callGuard(options: {
  readonly log: Log
  /** Ends the call. */
  readonly onFailed: () => void
}): CallGuard {
  const { log, onFailed } = options
  return (work, response) => {
    const failed = (error: unknown) => {
      log.error({ err: error }, 'call failed')
      try {
        if (response !== undefined && !response.finalResponseSent) {
          response.send(500, 'Server Internal Error', {})
        }
      } finally {
        onFailed()
      }
    }
    try {
      work()?.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
