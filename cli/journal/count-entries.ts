/** As `1 entry` and `2 entries`. */
export function countEntries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`
}
