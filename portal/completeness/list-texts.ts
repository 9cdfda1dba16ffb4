import { findColumns, type ListField } from './call-list-columns.ts'
import type { CsvRecord } from './csv-records.ts'
import { type ListTexts, type PlacedMistake, placedMistake } from './read-listed-call.ts'

/** One call of a file, as it is written there. */
export interface ListedTexts {
  readonly kind: 'call'
  readonly line: number
  readonly texts: ListTexts
  /** The heading of a field's column; the field's own name where it has none. */
  columnOf(field: ListField): string
}

export type ListRow = ListedTexts | { readonly kind: 'spoilt'; readonly mistake: PlacedMistake }

/** A file without headings that can be read, and on which line. */
export class CsvError extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.name = 'CsvError'
    this.line = line
  }
}

/**
 * The calls of a file, whose first record has the headings. Throws `bad_columns`, `CsvError` where the headings cannot be
 * read, and as `records` does.
 */
export async function* listTexts(
  records: AsyncIterable<CsvRecord>,
  asked: ReadonlyMap<ListField, string>,
): AsyncGenerator<ListRow> {
  let headings: readonly string[] | undefined
  let columns: ReturnType<typeof findColumns> = new Map()
  const columnOf = (field: ListField) => headings?.[columns.get(field) ?? -1] ?? field
  for await (const { line, fields, expected } of records) {
    if (headings === undefined) {
      if (expected !== null) throw new CsvError(line, `expected ${expected}`)
      headings = fields
      columns = findColumns(fields, asked)
    } else if (expected !== null) {
      const column = headings[fields.length - 1] ?? `column ${fields.length}`
      const found = fields.at(-1) ?? null
      yield { kind: 'spoilt', mistake: placedMistake({ line, column, found, expected }) }
    } else {
      const texts = Object.fromEntries([...columns].map(([field, at]) => [field, fields[at] ?? '']))
      yield { kind: 'call', line, texts, columnOf }
    }
  }
}
