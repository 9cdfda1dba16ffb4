import { readFileSync } from 'node:fs'
import { hasCode } from './has-code.ts'

/** A process that can be told from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks from the machine's start to the process's, as the kernel counts them; null where it does not. */
  readonly startedTicks: string | null
}

/** Undefined where no such process runs. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    const isOthers = hasCode(error, 'EPERM')
    if (!isOthers) return undefined
  }
  return { pid, startedTicks: startedTicks(pid) }
}

/** Whether exactly that process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid)
  return now !== undefined && now.startedTicks === identity.startedTicks
}

function startedTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses and may hold anything (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return 'ended'
    return fields[19] ?? null
  } catch {
    return null
  }
}
