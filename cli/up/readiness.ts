import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Address, localUrl } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import type { EndReport } from './supervised-process.ts'

const READY_WITHIN_MS = 90_000

/** In the order in which they end: live calls are the gateway's. */
export const PROCESSES = ['gateway', 'retention', 'portal'] as const

/** Resolves when all processes are ready; rejects with `process_failed`, `not_ready` or `stopped`. */
export async function allReady(
  config: Config,
  options: {
    readonly clock: Clock
    readonly stopped: AbortSignal
    failure(): EndReport | undefined
  },
): Promise<void> {
  const { clock, stopped } = options
  const giveUpMs = clock.monotonicMs() + READY_WITHIN_MS
  const waiting = new Map<string, string>(PROCESSES.map((name) => [name, 'no answer yet']))
  for (;;) {
    for (const name of [...waiting.keys()] as (typeof PROCESSES)[number][]) {
      const reason = await unreadyReason(config.http[name])
      if (reason === undefined) waiting.delete(name)
      else waiting.set(name, reason)
    }
    const failure = options.failure()
    if (failure) {
      throw new TallenneError(
        'process_failed',
        `${failure.name} did not start: ${failure.complaint ?? failure.how} Its log is ${join(config.dataPath, 'log', `${failure.name}.log`)}.`,
      )
    }
    throwIfStopped(stopped)
    if (waiting.size === 0) return
    if (clock.monotonicMs() > giveUpMs) {
      const reasons = [...waiting].map(([name, reason]) => `${name} (${reason})`).join(', ')
      throw new TallenneError(
        'not_ready',
        `Not ready within ${READY_WITHIN_MS / 1000} s: ${reasons}. The logs are in ${join(config.dataPath, 'log')}.`,
      )
    }
    await delay(50)
  }
}

/** Undefined when the process says that it is ready. */
export async function unreadyReason(
  address: Address,
  timeoutMs = 3000,
): Promise<string | undefined> {
  try {
    const response = await fetch(`${localUrl(address)}/readyz`, {
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (response.ok) return undefined
    const body: unknown = await response.json()
    return failingChecks(body) ?? `status ${response.status}`
  } catch {
    return 'no answer yet'
  }
}

function failingChecks(body: unknown): string | undefined {
  const checks: unknown = typeof body === 'object' && body && Reflect.get(body, 'checks')
  if (!Array.isArray(checks)) return undefined
  const reasons = checks.flatMap((check: unknown) => {
    if (typeof check !== 'object' || check === null || Reflect.get(check, 'ready') === true)
      return []
    return [`${Reflect.get(check, 'name')}: ${Reflect.get(check, 'reason')}`]
  })
  return reasons.join('; ') || undefined
}

/** Throws `stopped` where the operator has given up. */
export function throwIfStopped(stopped: AbortSignal): void {
  if (stopped.aborted) throw new TallenneError('stopped', 'Stopped before everything was ready.')
}
