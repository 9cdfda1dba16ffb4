/** One SQL statement of a journal entry. Where `mustMatch`, a statement that finds no row makes the entry bad. */
export interface Statement {
  readonly sql: string
  readonly values: readonly unknown[]
  readonly mustMatch: boolean
}

export function must(sql: string, values: readonly unknown[]): Statement {
  return { sql, values, mustMatch: true }
}

export function any(sql: string, values: readonly unknown[]): Statement {
  return { sql, values, mustMatch: false }
}

/** Texts come from the network: one that is too long is kept in part rather than costing the row. */
export function clip(text: string | null, length: number): string | null {
  return text === null || text.length <= length ? text : text.slice(0, length)
}

/** Throws for what is no number: it would become a word in the statement, and a fault of the schema instead of the entry's. */
export function whole(number: number): number {
  if (!Number.isFinite(number)) throw new RangeError(`${number} is no number of anything`)
  return Math.round(number)
}

export function instant(epochMs: number): Date {
  return new Date(whole(epochMs))
}
