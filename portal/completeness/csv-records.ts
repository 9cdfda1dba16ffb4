/** A record of a CSV file, and the line on which it begins, counted from 1. */
export interface CsvRecord {
  readonly line: number
  readonly fields: readonly string[]
  /** What was expected where the record is spoilt, in its last field; null in a whole record. */
  readonly expected: string | null
}

export type CsvDelimiter = ',' | ';' | '\t'

/** What is no record of any sane file is cut here, so that one missing quote does not swallow the rest into memory. */
const MAX_RECORD_LENGTH = 65_536
const DELIMITERS: readonly CsvDelimiter[] = [',', ';', '\t']
const SHORT = `a line of at most ${MAX_RECORD_LENGTH} characters`
const QUOTED = 'a field whose quotes end, with those within it doubled'

/**
 * Reads records as RFC 4180 writes them, piece by piece, with any line ends. Without a delimiter the one that stands most
 * often in the first line is it. Empty lines are passed over.
 *
 * A quote that does not end, or that ends on a later line in the middle of a field, spoils the line on which it begins
 * and no other; so does a line that is too long. A quote within a field that has not begun with one is a letter.
 */
export async function* readCsv(
  pieces: AsyncIterable<string>,
  delimiter?: CsvDelimiter,
): AsyncGenerator<CsvRecord> {
  const records = new CsvRecords(delimiter)
  for await (const line of linesOf(pieces)) yield* records.take([line])
  yield* records.end()
}

interface CsvLine {
  readonly number: number
  readonly text: string
  readonly isCut: boolean
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<CsvLine> {
  let number = 0
  const line = (text: string): CsvLine => {
    number++
    return {
      number,
      text: text.slice(0, MAX_RECORD_LENGTH).replace(number === 1 ? /^\uFEFF/ : '', ''),
      isCut: text.length > MAX_RECORD_LENGTH,
    }
  }
  let rest = ''
  for await (const piece of pieces) {
    rest += piece
    // A carriage return that comes last may be half of a line end.
    const whole = rest.split(/\r\n|\n|\r(?!$)/)
    const last = whole.pop() ?? ''
    for (const text of whole) yield line(text)
    rest = last.slice(0, MAX_RECORD_LENGTH + 1)
    if (last.length > rest.length && last.endsWith('\r')) rest += '\r'
  }
  for (const text of rest.split('\r')) yield line(text)
}

/** Makes lines into records. */
class CsvRecords {
  #delimiter: CsvDelimiter | undefined
  /** The lines of a record that goes on. */
  #begun: CsvLine[] = []
  #fields: FieldReader | undefined

  constructor(delimiter: CsvDelimiter | undefined) {
    this.#delimiter = delimiter
  }

  *take(lines: readonly CsvLine[]): Generator<CsvRecord> {
    const waiting = [...lines]
    for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) {
      if (this.#begun.length === 0 && line.text.trim() === '') continue
      this.#delimiter ??= likelyDelimiter(line.text)
      this.#fields ??= new FieldReader(this.#delimiter)
      this.#begun.push(line)
      const outcome = line.isCut ? 'spoilt' : this.#fields.take(line.text)
      if (outcome === 'goes_on') continue
      const [first = line, ...others] = this.#begun
      if (outcome === 'ended') {
        yield { line: first.number, fields: this.#fields.all, expected: null }
      } else {
        yield spoilt(first, this.#delimiter)
        waiting.unshift(...others)
      }
      this.#begun = []
      this.#fields = undefined
    }
  }

  *end(): Generator<CsvRecord> {
    while (this.#delimiter !== undefined) {
      const [first, ...others] = this.#begun
      if (first === undefined) return
      this.#begun = []
      this.#fields = undefined
      yield spoilt(first, this.#delimiter)
      yield* this.take(others)
    }
  }
}

function spoilt(line: CsvLine, delimiter: CsvDelimiter): CsvRecord {
  const fields = new FieldReader(delimiter)
  fields.take(line.text)
  return { line: line.number, fields: fields.all, expected: line.isCut ? SHORT : QUOTED }
}

/** Reads the fields of one record, line by line. */
class FieldReader {
  readonly #delimiter: CsvDelimiter
  readonly #whole: string[] = []
  #field = ''
  #quote: 'none' | 'open' | 'closed' = 'none'
  #length = 0

  constructor(delimiter: CsvDelimiter) {
    this.#delimiter = delimiter
  }

  /** What has been read, the last field as far as it has come. */
  get all(): readonly string[] {
    return [...this.#whole, this.#field].map((field) => field.trim())
  }

  take(line: string): 'goes_on' | 'ended' | 'spoilt' {
    let beganBefore = this.#quote === 'open'
    for (let at = 0; at < line.length; at++) {
      const letter = line[at] ?? ''
      if (this.#quote === 'open' && letter === '"' && line[at + 1] === '"') {
        this.#field += letter
        at++
      } else if (this.#quote === 'open' && letter === '"') {
        this.#quote = 'closed'
        if (beganBefore && !this.#isFieldEnd(line[at + 1])) return 'spoilt'
        beganBefore = false
      } else if (this.#quote === 'open') {
        this.#field += letter
      } else if (letter === this.#delimiter) {
        this.#whole.push(this.#field)
        this.#field = ''
        this.#quote = 'none'
      } else if (letter !== '"' || (this.#quote === 'none' && this.#field.trim() !== '')) {
        this.#field += letter
      } else if (this.#quote === 'none') {
        this.#quote = 'open'
      }
    }
    if (this.#quote !== 'open') return 'ended'
    this.#field += '\n'
    this.#length += line.length + 1
    return this.#length > MAX_RECORD_LENGTH ? 'spoilt' : 'goes_on'
  }

  #isFieldEnd(letter: string | undefined): boolean {
    return letter === undefined || letter === this.#delimiter || letter.trim() === ''
  }
}

function likelyDelimiter(heading: string): CsvDelimiter {
  const count = (letter: string) => heading.split(letter).length
  return DELIMITERS.reduce((best, one) => (count(one) > count(best) ? one : best))
}
