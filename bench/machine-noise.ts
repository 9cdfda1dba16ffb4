/** What the same fixed work cost over several runs: the yardstick for every figure beside it. */
export interface MachineNoise {
  readonly medianMs: number
  /** Slowest over fastest run; 1 would be a silent machine. */
  readonly spread: number
}

/** Milliseconds of CPU (user and system) that `work` takes in this process. */
export function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1000
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The value below which `fraction` of the values lie; NaN of none. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN
}

/** Runs a fixed integer loop nine times, about 50 ms each. */
export function measureNoise(): MachineNoise {
  const runs: number[] = []
  for (let run = 0; run < 9; run++) {
    const startedMs = performance.now()
    let state = 1
    for (let step = 0; step < 30_000_000; step++) state = (state * 1_664_525 + 1_013_904_223) | 0
    runs.push(performance.now() - startedMs + (state & 0))
  }
  return { medianMs: median(runs), spread: Math.max(...runs) / Math.min(...runs) }
}
