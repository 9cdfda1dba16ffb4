import type { Log } from '../base/log.ts'
import { LastingThread, type LastingThreadOptions } from './disk/lasting-thread.ts'

/** The journal's thread, whose deaths are logged. */
export function journalThread({
  log,
  ...options
}: Omit<LastingThreadOptions, 'onDied'> & { readonly log: Log }): LastingThread {
  return new LastingThread({
    ...options,
    onDied: (death) => log.error(death, 'journal’s thread died'),
  })
}
