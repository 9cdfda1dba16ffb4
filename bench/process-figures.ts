import { readFileSync } from 'node:fs'

/** What the kernel says of a running process (proc(5), `/proc/PID/stat` and `status`). */
export interface ProcessFigures {
  /** User and system time of all its threads, milliseconds. */
  readonly cpuMs: number
  readonly residentBytes: number
}

// The kernel counts in USER_HZ, which is 100 on every Linux that Node runs on.
const MS_PER_TICK = 10

export function readProcessFigures(pid: number): ProcessFigures {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command name in brackets may hold spaces, so fields are counted from the closing bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const cpuMs = (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const residentKb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN)
  return { cpuMs, residentBytes: residentKb * 1024 }
}
