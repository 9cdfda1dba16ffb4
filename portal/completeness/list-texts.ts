import { findColumns, type ListField } from './call-list-columns.ts'
import type { CsvRecord } from './csv-records.ts'
import type { ListTexts } from './read-listed-call.ts'

/** One call of a file, as it is written there. */
export interface ListedTexts {
  readonly line: number
  readonly texts: ListTexts
  /** The heading of a field's column; the field's own name where it has none. */
  columnOf(field: ListField): string
}

/** The calls of a file, whose first record has the headings. Throws `bad_columns`, and as `records` does. */
export async function* listTexts(
  records: AsyncIterable<CsvRecord>,
  asked: ReadonlyMap<ListField, string>,
): AsyncGenerator<ListedTexts> {
  let columns: ReturnType<typeof findColumns> | undefined
  let columnOf = (field: ListField): string => field
  for await (const { line, fields } of records) {
    if (columns === undefined) {
      const found = findColumns(fields, asked)
      columns = found
      columnOf = (field) => fields[found.get(field) ?? -1] ?? field
      continue
    }
    const texts = Object.fromEntries([...columns].map(([field, at]) => [field, fields[at] ?? '']))
    yield { line, texts, columnOf }
  }
}
