/** A timer that was asked for; `cancel` is idempotent and a cancelled timer never fires. */
export interface Timer {
  cancel(): void
}

/**
 * Where time comes from, so that tests can hold it.
 *
 * Wall time is for rows and names; monotonic time is for intervals, since wall time may step.
 */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  epochMs(): number
  /** Milliseconds since an arbitrary start, never going back; fractions are kept. */
  monotonicMs(): number
  /** Calls `run` once after `delayMs`. */
  after(delayMs: number, run: () => void): Timer
  /** Calls `run` every `intervalMs`, first after one interval. */
  every(intervalMs: number, run: () => void): Timer
}

/** The machine's own time. Its timers do not keep the process alive. */
export class SystemClock implements Clock {
  epochMs(): number {
    return Date.now()
  }

  monotonicMs(): number {
    return performance.now()
  }

  after(delayMs: number, run: () => void): Timer {
    const handle = setTimeout(run, delayMs)
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  }

  every(intervalMs: number, run: () => void): Timer {
    const handle = setInterval(run, intervalMs)
    handle.unref()
    return { cancel: () => clearInterval(handle) }
  }
}
