import { createReadStream } from 'node:fs'
import type { z } from 'zod'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { LIST_FIELDS, parseColumnNames } from '../../portal/completeness/call-list-columns.ts'
import { readCsv } from '../../portal/completeness/csv-records.ts'
import { decoderOf, decodeText } from '../../portal/completeness/decode-text.ts'
import { BATCH_CALLS, MAX_MISTAKES } from '../../portal/completeness/import-calls.ts'
import { importResultSchema } from '../../portal/completeness/import-schemas.ts'
import {
  CsvError,
  type ListedTexts,
  type ListRow,
  listTexts,
} from '../../portal/completeness/list-texts.ts'
import type { PlacedMistake } from '../../portal/completeness/read-listed-call.ts'
import { PortalClient } from '../api/portal-client.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { type Given, hasFlag, type Terminal, textOption, type Verb } from '../verb.ts'

type Result = z.infer<typeof importResultSchema>

/** Takes a CSV file of the platform's calls. */
export const completenessImportVerb: Verb = {
  name: 'completeness import',
  help: `Usage: tallenne completeness import FILE.csv [--column FIELD=HEADING …] [--json]

Takes the platform's own list of calls, to find those that never came here. Taking it again
changes nothing. Calls that cannot be read are told with their line and column, and the others are
taken; the exit code is 1 then. A wrong list is taken back by tallenne completeness withdraw.

The first line has the headings. Known by themselves are startedAt, reference, callId, caller,
serviceNumber, durationS and answered, in any case and with or without signs between the words.

  --column F=HEADING   the heading of a field, as --column "startedAt=Start Time"; may be repeated
  --list NAME          whose list it is (else platform): a call of one list is taken once
  --time-zone ZONE     of times without one, as Europe/Helsinki (else the catch-all line's)
  --time-format FORM   as "MM/dd/yyyy HH:mm:ss", epoch or epochMs (else ISO 8601 or 31.1.2026 8.00)
  --tolerance SECONDS  how far times may be off where only numbers name a call (else 10)
  --encoding NAME      of the file, as windows-1252 or utf-16le (else utf-8)
  --json               the counts and mistakes as JSON
${CONFIG_HELP}`,
  options: {
    ...CONFIG_OPTIONS,
    column: { type: 'string', multiple: true },
    list: { type: 'string' },
    'time-zone': { type: 'string' },
    'time-format': { type: 'string' },
    tolerance: { type: 'string' },
    encoding: { type: 'string' },
    json: { type: 'boolean' },
  },
  words: ['FILE'],
  run: async (given, terminal) => {
    const [file = ''] = given.words
    const client = await PortalClient.open(findConfig(given, terminal))
    const list = new ListInParts(client, importQuery(given))
    try {
      for await (const row of listedRows(file, given)) {
        await list.add(row)
        if (terminal.isInteractive) terminal.rewrite(`${list.total.read} calls`)
      }
      await list.finish()
    } catch (error) {
      const { importId, read } = list.total
      if (importId !== null) {
        terminal.warn(
          `${read} calls have been read, and are import ${importId}: take the list again, or withdraw it.`,
        )
      }
      throw error
    } finally {
      if (terminal.isInteractive) terminal.rewrite('')
    }
    const { total } = list
    if (hasFlag(given, 'json')) terminal.print(JSON.stringify(total))
    else tell(total, file, terminal)
    return total.rejected > 0 ? 1 : 0
  },
}

function tell(total: Result, file: string, { print, warn }: Terminal): void {
  for (const { line, column, found, expected } of total.mistakes) {
    const what = found === null ? 'nothing' : JSON.stringify(found)
    warn(`${file}:${line} ${column}: found ${what}, expected ${expected}.`)
  }
  const untold = total.rejected - total.mistakes.length
  if (untold > 0) warn(`${untold} more were not taken.`)
  print(
    `${total.read} calls read: ${total.taken} new, ${total.known} known before, ${total.rejected} not taken; ${total.matched} of them came here.`,
  )
  if (total.importId !== null) {
    print(
      `Import ${total.importId}. To take it back: tallenne completeness withdraw ${total.importId}`,
    )
  }
}

/** A part is sent when it has so many characters, which are at most six times as many bytes: the API takes 4 MiB. */
const PART_CHARACTERS = 524_288

/** Sends a list in parts that the API takes, all of one import. */
class ListInParts {
  readonly #client: PortalClient
  readonly #query: URLSearchParams
  #part: ListedTexts[] = []
  #characters = 0
  #total: Result = {
    importId: null,
    read: 0,
    taken: 0,
    known: 0,
    matched: 0,
    rejected: 0,
    mistakes: [],
  }

  constructor(client: PortalClient, query: URLSearchParams) {
    this.#client = client
    this.#query = query
  }

  /** What came of the parts that were sent. */
  get total(): Result {
    return this.#total
  }

  async add(row: ListRow): Promise<void> {
    if (row.kind === 'spoilt') {
      this.#add({ read: 1, rejected: 1, mistakes: [row.mistake] })
      return
    }
    this.#part.push(row)
    for (const text of Object.values(row.texts)) this.#characters += text.length
    const isFull = this.#part.length === BATCH_CALLS || this.#characters >= PART_CHARACTERS
    if (isFull) await this.finish()
  }

  /** Sends what is left. */
  async finish(): Promise<void> {
    const part = this.#part
    this.#part = []
    this.#characters = 0
    if (part.length === 0) return
    const { importId } = this.#total
    if (importId !== null) this.#query.set('import', importId)
    const path = `/api/completeness/calls?${this.#query}`
    const body = { calls: part.map(({ texts }) => texts) }
    const { mistakes, ...counts } = await this.#client.send(path, body, importResultSchema)
    this.#add({ ...counts, mistakes: mistakes.map((mistake) => placed(mistake, part)) })
  }

  #add({ importId = null, mistakes, ...counts }: Partial<Result> & Pick<Result, 'mistakes'>): void {
    const { read = 0, taken = 0, known = 0, matched = 0, rejected = 0 } = counts
    const total = this.#total
    this.#total = {
      importId: total.importId ?? importId,
      read: total.read + read,
      taken: total.taken + taken,
      known: total.known + known,
      matched: total.matched + matched,
      rejected: total.rejected + rejected,
      mistakes: [...total.mistakes, ...mistakes]
        .toSorted((one, other) => one.line - other.line)
        .slice(0, MAX_MISTAKES),
    }
  }
}

/** The API counts the calls of a part, and knows their fields by our names; the file has lines and headings. */
function placed(mistake: PlacedMistake, part: readonly ListedTexts[]): PlacedMistake {
  const row = part[mistake.line - 1]
  const field = LIST_FIELDS.find((known) => known === mistake.column)
  if (row === undefined || field === undefined) return mistake
  return { ...mistake, line: row.line, column: row.columnOf(field) }
}

async function* listedRows(file: string, given: Given): AsyncGenerator<ListRow> {
  const pairs = given.options['column']
  const asked = parseColumnNames(Array.isArray(pairs) ? pairs.map(String) : [])
  const encoding = textOption(given, 'encoding') ?? 'utf-8'
  const decoder = decoderOf(encoding)
  if (decoder === undefined) {
    throw new TallenneError('option_value', `--encoding is ${encoding}, which is not known.`)
  }
  try {
    yield* listTexts(readCsv(decodeText(createReadStream(file), decoder)), asked)
  } catch (error) {
    if (error instanceof CsvError) {
      throw new TallenneError('bad_list', `${file}:${error.line}: ${error.message}.`)
    }
    if (error instanceof TallenneError) throw error
    throw new TallenneError('file_unreadable', `${file} cannot be read (${messageOf(error)}).`)
  }
}

function importQuery(given: Given): URLSearchParams {
  const query = new URLSearchParams()
  for (const [option, parameter] of [
    ['list', 'list'],
    ['time-zone', 'timeZone'],
    ['time-format', 'timeFormat'],
    ['tolerance', 'toleranceS'],
  ] as const) {
    const text = textOption(given, option)
    if (text !== undefined) query.set(parameter, text)
  }
  return query
}
