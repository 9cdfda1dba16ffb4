const SEQUENCES = 0x1_0000
const HALF = 0x8000

/**
 * The index that a sequence number most likely stands for: the one nearest to the highest that has come (RFC 3711
 * §3.3.1). Never negative.
 */
export function estimateIndex(sequenceNumber: number, highest: number): number {
  const rollover = Math.floor(highest / SEQUENCES)
  const last = highest % SEQUENCES
  if (last < HALF) {
    const isBefore = sequenceNumber - last > HALF && rollover > 0
    return indexOf(isBefore ? rollover - 1 : rollover, sequenceNumber)
  }
  return indexOf(last - HALF > sequenceNumber ? rollover + 1 : rollover, sequenceNumber)
}

export function indexOf(rollover: number, sequenceNumber: number): number {
  return rollover * SEQUENCES + sequenceNumber
}

export function rolloverOf(index: number): number {
  return Math.floor(index / SEQUENCES)
}

/** The rollover counters that are always tried for a source that nothing is known of. */
const FIRST_TRIED = 6
/** And so many more by turns, in so many turns: calls of a week are found within 64 packets. */
const TRIED_BY_TURNS = 6
const TURNS = 64

/**
 * Rollover counters that a source of unknown history may have, the most likely first, at most 14.
 *
 * A sender begins at 0 (RFC 4568 §6.4); one that changes its SSRC may keep its counter; and a recording that starts
 * in mid-call finds any. Those beyond the first are tried a few with each packet, chosen by its sequence number, so
 * that no state is kept for what may be forged.
 */
export function likelyRollovers(options: {
  readonly sequenceNumber: number
  /** Of the source before it; undefined where there was none. */
  readonly kept: number | undefined
  /** Whether any is possible, else only the likely ones. */
  readonly isOpen: boolean
}): readonly number[] {
  const { sequenceNumber, kept, isOpen } = options
  const tried = new Set([0])
  if (kept !== undefined) tried.add(kept).add(kept + 1)
  if (!isOpen) return [...tried]
  for (let rollover = 1; rollover < FIRST_TRIED; rollover++) tried.add(rollover)
  const turn = FIRST_TRIED + (sequenceNumber % TURNS) * TRIED_BY_TURNS
  for (let rollover = turn; rollover < turn + TRIED_BY_TURNS; rollover++) tried.add(rollover)
  return [...tried]
}
