import type { ContactView } from '../../storage/model.ts'
import type { RealDisk } from '../../test/storage/disk/real-disk.ts'
import type { Site } from './site.ts'

/** A fault, and what may come of it. */
export interface Drill {
  readonly name: string
  /** For the table: what happens. */
  readonly fault: string
  /** Makes what the site needs besides. */
  prepare?(): DrillGround
  /** Why it cannot be tried on this machine; undefined where it can. */
  readonly obstacle?: string | undefined
  /** Whether the sessions end with it, so that nothing sent afterwards can be recorded. */
  readonly endsCalls: boolean
  /** Which calls' audio goes through what is struck; a function is asked when a call is over. */
  readonly concerns: 'all' | 'none' | ((contact: ContactView) => boolean)
  /** Strikes, and mends what does not mend itself. Returns what else is to be said, in a few words. */
  strike(site: Site, ground: DrillGround | undefined): Promise<string | undefined>
}

/** What a drill needs besides its site. */
export interface DrillGround {
  /** Of the site. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Folders of the site's data folder that lie elsewhere, by their names there. */
  readonly elsewhere?: Readonly<Record<string, string>>
  /** Owned by the drill. */
  readonly disk: RealDisk
}

/** A row of the table. */
export interface DrillResult {
  readonly name: string
  readonly fault: string
  readonly calls: number
  readonly refused: number
  /** Whether the fault concerns calls. */
  readonly concernsCalls: boolean
  /** Longest stretch of audio that a call which the fault concerns lost, ms; undefined where it concerns none. */
  readonly concernedLostMs: number | undefined
  /** The same of the others. */
  readonly otherLostMs: number | undefined
  /** Calls without a contact, with more than one, or with a recording that has no verdict or nothing to play. */
  readonly rowsLost: number
  /** From the fault until calls are taken and MariaDB has every row, ms; undefined where that did not come. */
  readonly wholeMs: number | undefined
  /** What became of the calls that came next: `complete`, which is every packet of them, or what else. */
  readonly next: string
  readonly verdicts: Readonly<Record<string, number>>
  readonly note: string | undefined
}

export const LONGEST_LOSS_MS = 1000

/** Whether the drill went as it must: with calls up, and a fault that struck whom it concerns. */
export function hasPassed(result: DrillResult): boolean {
  return (
    result.calls > 0 &&
    result.refused === 0 &&
    result.concernsCalls === (result.concernedLostMs !== undefined) &&
    (result.concernedLostMs ?? 0) <= LONGEST_LOSS_MS &&
    (result.otherLostMs ?? 0) === 0 &&
    result.rowsLost === 0 &&
    result.wholeMs !== undefined &&
    result.next === 'complete'
  )
}
