/** A record of a CSV file, and the line on which it begins, counted from 1. */
export interface CsvRecord {
  readonly line: number
  readonly fields: readonly string[]
}

export type CsvDelimiter = ',' | ';' | '\t'

/** What is no record of any sane file is cut here, so that one missing quote does not swallow the rest into memory. */
const MAX_RECORD_LENGTH = 65_536
const DELIMITERS: readonly CsvDelimiter[] = [',', ';', '\t']

/** A file that is no CSV, and on which line. */
export class CsvError extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.name = 'CsvError'
    this.line = line
  }
}

/**
 * Reads records as RFC 4180 writes them, piece by piece, with any line ends. Without a delimiter the one that stands most
 * often in the first line is it. Empty lines are passed over. Throws a `CsvError` where a quote does not end.
 */
export async function* readCsv(
  pieces: AsyncIterable<string>,
  delimiter?: CsvDelimiter,
): AsyncGenerator<CsvRecord> {
  const reader = new CsvReader(delimiter)
  let isFirst = true
  for await (const piece of pieces) {
    yield* reader.take(isFirst ? piece.replace(/^\uFEFF/, '') : piece)
    if (piece !== '') isFirst = false
  }
  yield* reader.end()
}

class CsvReader {
  #delimiter: CsvDelimiter | undefined
  #rest = ''
  #line = 1

  constructor(delimiter: CsvDelimiter | undefined) {
    this.#delimiter = delimiter
  }

  *take(piece: string): Generator<CsvRecord> {
    this.#rest += piece
    yield* this.#records(false)
  }

  *end(): Generator<CsvRecord> {
    yield* this.#records(true)
  }

  *#records(isEnd: boolean): Generator<CsvRecord> {
    let from = 0
    for (;;) {
      const end = recordEnd(this.#rest, from, isEnd)
      if (end === undefined) break
      const text = this.#rest.slice(from, end.at)
      const line = this.#line
      this.#line += count(text, '\n') + (end.next > end.at ? 1 : 0)
      from = end.next
      if (text.trim() !== '') {
        this.#delimiter ??= likelyDelimiter(text)
        yield { line, fields: splitFields(text, this.#delimiter) }
      }
      if (from >= this.#rest.length) break
    }
    this.#rest = this.#rest.slice(from)
    if (isEnd && this.#rest !== '')
      throw new CsvError(this.#line, 'a quote that begins does not end')
    if (this.#rest.length > MAX_RECORD_LENGTH) {
      throw new CsvError(this.#line, `a record is longer than ${MAX_RECORD_LENGTH} characters`)
    }
  }
}

/** Where the record that begins at `from` ends, and where the next begins; undefined while more may come. */
function recordEnd(
  text: string,
  from: number,
  isEnd: boolean,
): { readonly at: number; readonly next: number } | undefined {
  let isQuoted = false
  for (let at = from; at < text.length; at++) {
    const letter = text[at]
    if (letter === '"') isQuoted = !isQuoted
    if (isQuoted) continue
    if (letter === '\n') return { at, next: at + 1 }
    if (letter !== '\r') continue
    // The other half of the line end may be in the next piece.
    if (at + 1 === text.length && !isEnd) return undefined
    return { at, next: text[at + 1] === '\n' ? at + 2 : at + 1 }
  }
  return isEnd && !isQuoted && from < text.length
    ? { at: text.length, next: text.length }
    : undefined
}

function splitFields(record: string, delimiter: CsvDelimiter): readonly string[] {
  const fields: string[] = []
  let field = ''
  let isQuoted = false
  for (let at = 0; at < record.length; at++) {
    const letter = record[at]
    if (letter === '"' && isQuoted && record[at + 1] === '"') {
      field += '"'
      at++
    } else if (letter === '"') {
      isQuoted = !isQuoted
    } else if (letter === delimiter && !isQuoted) {
      fields.push(field)
      field = ''
    } else {
      field += letter
    }
  }
  return [...fields, field].map((text) => text.trim())
}

function likelyDelimiter(heading: string): CsvDelimiter {
  return DELIMITERS.reduce((best, one) => (count(heading, one) > count(heading, best) ? one : best))
}

function count(text: string, letter: string): number {
  return text.split(letter).length - 1
}
