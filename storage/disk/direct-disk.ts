import { TallenneError } from '../../base/tallenne-error.ts'
import type { Disk, DiskOrder, DiskOrderOf, DiskResults } from './disk.ts'
import { DiskWork, failureOf } from './disk-work.ts'

/**
 * Works on the caller's own thread, which waits for the disk: for programs that have nothing else to do meanwhile.
 */
export class DirectDisk implements Disk {
  readonly #work = new DiskWork()

  async run<Kind extends DiskOrder['kind']>(order: DiskOrderOf<Kind>): Promise<DiskResults[Kind]> {
    try {
      return this.#work.carryOut(order) as DiskResults[Kind]
    } catch (error) {
      const { code, message } = failureOf(error)
      throw new TallenneError(code, message, { cause: error })
    }
  }
}
