import type { Queryable } from '../database.ts'
import type { KeptAnchor } from './audit-anchors.ts'
import { CHAIN_START, type ChainLink, hashOfRow, type StoredRow } from './audit-chain.ts'
import { readRows } from './audit-rows.ts'

/** The first thing that is wrong with the trail, and with which row. */
export type AuditBreak =
  /** Rows from here to `to` are not there, and later ones are. */
  | { readonly kind: 'removed'; readonly sequence: number; readonly to: number }
  /** The row is not the one that its hash was made of. */
  | { readonly kind: 'changed'; readonly sequence: number }
  /** The row is whole, and the row after it was written after another one in its place. */
  | { readonly kind: 'replaced'; readonly sequence: number }
  /**
   * All rows fit, and are not those that were there when the anchor was taken: at the latest this one was rewritten, or
   * the anchor was changed. `laterHeld` of this row and later ones agree.
   */
  | {
      readonly kind: 'rewritten'
      readonly sequence: number
      readonly anchor: string
      readonly laterHeld: number
    }
  /** Rows from here to `to` were at the end, as an anchor knows, and are not there. */
  | {
      readonly kind: 'cut_off'
      readonly sequence: number
      readonly to: number
      readonly anchor: string
    }

export interface AuditVerdict {
  /** Rows that were found in order. */
  readonly rows: number
  /** The last of them. */
  readonly head: ChainLink
  /** Anchors that agree with the rows. */
  readonly anchorsHeld: number
  readonly broken: AuditBreak | undefined
}

/**
 * Reads the whole trail in order, makes every hash anew and compares the places that are known from outside the
 * database. Stops at the first row that does not follow the one before. Anchors are in order of their sequences.
 */
export async function verifyAudit(
  database: Queryable,
  anchors: readonly KeptAnchor[],
  onProgress: (rows: number) => void = () => {},
): Promise<AuditVerdict> {
  let head = CHAIN_START
  let anchorsHeld = 0
  let compared = 0
  let contrary: { readonly anchor: KeptAnchor; readonly heldBefore: number } | undefined
  const verdict = (broken?: AuditBreak): AuditVerdict => ({
    rows: head.sequence,
    head,
    anchorsHeld,
    broken,
  })
  for await (const row of readRows(database)) {
    const broken = breakAt(row, head)
    if (broken) {
      const isFirst = contrary === undefined || broken.sequence <= contrary.anchor.sequence
      if (isFirst) return verdict(broken)
      break
    }
    head = { sequence: row.sequence, hash: row.hash }
    for (
      let anchor = anchors[compared];
      anchor?.sequence === row.sequence;
      anchor = anchors[++compared]
    ) {
      if (anchor.hash === row.hash) anchorsHeld++
      else contrary ??= { anchor, heldBefore: anchorsHeld }
    }
    if (row.sequence % 10_000 === 0) onProgress(row.sequence)
  }
  if (contrary) {
    const { anchor, heldBefore } = contrary
    const { sequence, place } = anchor
    const laterHeld = anchorsHeld - heldBefore
    return verdict({ kind: 'rewritten', sequence, anchor: place, laterHeld })
  }
  const beyond = anchors.at(-1)
  if (beyond === undefined || beyond.sequence <= head.sequence) return verdict()
  const { sequence: to, place } = beyond
  return verdict({ kind: 'cut_off', sequence: head.sequence + 1, to, anchor: place })
}

function breakAt(row: StoredRow, before: ChainLink): AuditBreak | undefined {
  const expected = before.sequence + 1
  if (row.sequence !== expected) {
    return { kind: 'removed', sequence: expected, to: row.sequence - 1 }
  }
  if (hashOfRow(row) !== row.hash) return { kind: 'changed', sequence: row.sequence }
  if (row.previousHash === before.hash) return undefined
  // The first row follows nothing, so it is itself what was put there.
  return { kind: 'replaced', sequence: Math.max(1, before.sequence) }
}
