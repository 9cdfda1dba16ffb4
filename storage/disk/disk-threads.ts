import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Disk, DiskOrder, DiskOrderOf, DiskResults } from './disk.ts'
import { DiskClient } from './disk-client.ts'
import type { LastingThread } from './lasting-thread.ts'
import { openDiskThread } from './open-disk-thread.ts'

export interface DiskThreadsOptions {
  readonly name: string
  /** How many orders may be carried out at once. */
  readonly count: number
  readonly clock: Clock
  /** An order that has waited so long is given up: the disk hangs. */
  readonly hungAfterMs: number
  readonly log: Log
}

/**
 * Several threads that work on one disk: for orders that stand by themselves, since they are carried out in any order.
 * Owns the threads.
 */
export class DiskThreads implements Disk {
  readonly #threads: readonly LastingThread[]
  readonly #clients: readonly DiskClient[]
  #turn = 0

  constructor({ name, count, clock, hungAfterMs, log }: DiskThreadsOptions) {
    this.#threads = Array.from({ length: count }, (_, index) =>
      openDiskThread({ name: `${name}-${index}`, clock, log }),
    )
    this.#clients = this.#threads.map(
      (thread) => new DiskClient({ ports: thread.connect(), clock, hungAfterMs }),
    )
  }

  /** How often one of them has died, and another one has taken its place. */
  get deaths(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.deaths, 0)
  }

  run<Kind extends DiskOrder['kind']>(order: DiskOrderOf<Kind>): Promise<DiskResults[Kind]> {
    const client = this.#clients[this.#turn++ % this.#clients.length]
    if (client === undefined) throw new RangeError('there is no thread')
    return client.run(order)
  }

  /** False where the disk hangs: the process cannot end in order then. Idempotent. */
  async close(): Promise<boolean> {
    for (const client of this.#clients) client.close()
    const ended = await Promise.all(this.#threads.map((thread) => thread.close()))
    return ended.every(Boolean)
  }
}
