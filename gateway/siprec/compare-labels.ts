const collator = new Intl.Collator('en', { numeric: true })

/** `1` before `2`, `2` before `10`, `a_leg` before `b_leg`; what has no label keeps its place. */
export function compareLabels(a: string | null | undefined, b: string | null | undefined): number {
  return a && b ? collator.compare(a, b) : 0
}
