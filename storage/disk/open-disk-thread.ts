import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { DiskThread } from './disk-thread.ts'
import { LastingThread } from './lasting-thread.ts'

export interface OpenDiskThreadOptions {
  readonly name: string
  /** Compiled entry of the thread; by default it serves a disk's orders. */
  readonly entry?: URL
  readonly clock: Clock
  readonly log: Log
}

/** A thread that works on a disk for its clients, and whose deaths are logged. */
export function openDiskThread({ log, ...thread }: OpenDiskThreadOptions): LastingThread {
  const { name, clock } = thread
  return new LastingThread({
    start: (onDied) => new DiskThread({ ...thread, onDied }),
    onDied: (death) => log.error({ thread: name, ...death }, 'disk’s thread died'),
    clock,
  })
}
