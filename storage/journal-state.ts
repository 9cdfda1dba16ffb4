import type { CarrierFault } from './journal-carrier.ts'

/** How the journal stands, for metrics and readiness. */
export interface JournalState {
  /** Entries that MariaDB does not have yet. */
  readonly depth: number
  /** Age of the oldest of them. */
  readonly oldestAgeMs: number
  /** Entries of which memory holds the only copy, since the disk takes none. */
  readonly unwritten: number
  /** Entries set aside since the start: bad in themselves. */
  readonly rejected: number
  /** Entries lost since the start: no disk, no database, and no more memory for them, or they are no JSON. */
  readonly refused: number
  /** Segments found torn since the start. */
  readonly torn: number
  /** Segments taken out since the start: the disk could not read them. */
  readonly unreadable: number
  /** Why entries are not applied now, or undefined. */
  readonly fault: CarrierFault | undefined
  /** Why the journal itself is not read, or entries are not set aside; undefined where all is well. */
  readonly readError: string | undefined
  /** Why entries are not written now, or undefined. */
  readonly diskError: string | undefined
}
