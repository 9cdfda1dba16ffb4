import { type EventLoopUtilization, performance } from 'node:perf_hooks'

/** Measures how busy a thread is: the part of the time in which its event loop did not wait for anything, 0 to 1. */
export class LoadMeter {
  #before: EventLoopUtilization = performance.eventLoopUtilization()

  /** Since the meter was made, or was read last. */
  take(): number {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#before)
    this.#before = now
    return utilization
  }
}
