import { setTimeout as delay } from 'node:timers/promises'
import { isRunning, type ProcessIdentity } from '../../base/process-identity.ts'

/** Processes of an `up` that was killed still hold its ports and files. */
export async function endLeftovers(
  leftovers: readonly ProcessIdentity[],
  report: (line: string) => void,
): Promise<void> {
  if (leftovers.length === 0) return
  const pids = leftovers.map(({ pid }) => pid).join(', ')
  report(`Ending what an earlier tallenne up has left running (process ${pids}).`)
  signalAll(leftovers, 'SIGTERM')
  for (let waitedMs = 0; waitedMs < 10_000 && leftovers.some(isRunning); waitedMs += 50) {
    await delay(50)
  }
  signalAll(leftovers, 'SIGKILL')
  while (leftovers.some(isRunning)) await delay(20)
}

function signalAll(identities: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const identity of identities.filter(isRunning)) {
    try {
      process.kill(identity.pid, signal)
    } catch {
      // It has ended in between.
    }
  }
}
