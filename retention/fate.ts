import type { ActiveHold } from '../storage/holds.ts'

/** What becomes of a recording, and why. */
export type Fate =
  /** The call, or its recording, goes on: no period runs yet. */
  | { readonly kind: 'open' }
  /** No policy rules its line. */
  | { readonly kind: 'unruled' }
  /** Its line has no period. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'planned'; readonly deleteAfterMs: number }
  /** The next sweep deletes it. */
  | { readonly kind: 'due'; readonly deleteAfterMs: number }
  | { readonly kind: 'held'; readonly deleteAfterMs: number | undefined; readonly hold: ActiveHold }
  | { readonly kind: 'deleting'; readonly sinceMs: number }
  | { readonly kind: 'deleted'; readonly atMs: number }
