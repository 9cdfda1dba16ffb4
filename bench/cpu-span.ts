import type { ProcessFigures } from './process-figures.ts'

/** Begins to watch a process. What it gives back says, when called, how many ms of CPU it used each second since. */
export function beginCpuSpan(read: () => ProcessFigures): () => number {
  const from = { cpuMs: read().cpuMs, atMs: performance.now() }
  return () => ((read().cpuMs - from.cpuMs) / (performance.now() - from.atMs)) * 1000
}
