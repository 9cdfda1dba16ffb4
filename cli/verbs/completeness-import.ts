import { createReadStream } from 'node:fs'
import type { z } from 'zod'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { parseColumnNames } from '../../portal/completeness/call-list-columns.ts'
import { importResultSchema } from '../../portal/completeness/completeness-schemas.ts'
import { CsvError, readCsv } from '../../portal/completeness/csv-records.ts'
import { decoderOf, decodeText } from '../../portal/completeness/decode-text.ts'
import { BATCH_CALLS, MAX_MISTAKES } from '../../portal/completeness/import-calls.ts'
import { type ListedTexts, listTexts } from '../../portal/completeness/list-texts.ts'
import { PortalClient } from '../api/portal-client.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { type Given, hasFlag, textOption, type Verb } from '../verb.ts'

type Result = z.infer<typeof importResultSchema>

/** Takes a CSV file of the platform's calls. */
export const completenessImportVerb: Verb = {
  name: 'completeness import',
  help: `Usage: tallenne completeness import FILE.csv [--column FIELD=HEADING …] [--json]

Takes the platform's own list of calls, to find those that never came here. Taking it again
changes nothing. Calls that cannot be read are told with their line and column, and the others are
taken; the exit code is 1 then.

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
    const path = importPath(given)
    let total: Result = { read: 0, taken: 0, known: 0, matched: 0, rejected: 0, mistakes: [] }
    const send = async (rows: readonly ListedTexts[]) => {
      const body = { calls: rows.map(({ texts }) => texts) }
      total = add(total, await client.send(path, body, importResultSchema), rows)
      if (terminal.isInteractive) terminal.rewrite(`${total.read} calls`)
    }
    let batch: ListedTexts[] = []
    for await (const row of listedRows(file, given)) {
      batch.push(row)
      if (batch.length < BATCH_CALLS) continue
      await send(batch)
      batch = []
    }
    if (batch.length > 0) await send(batch)
    if (terminal.isInteractive) terminal.rewrite('')
    if (hasFlag(given, 'json')) terminal.print(JSON.stringify(total))
    else {
      for (const { line, column, found, expected } of total.mistakes) {
        const what = found === null ? 'nothing' : JSON.stringify(found)
        terminal.warn(`${file}:${line} ${column}: found ${what}, expected ${expected}.`)
      }
      terminal.print(
        `${total.read} calls read: ${total.taken} new, ${total.known} known before, ${total.rejected} not taken; ${total.matched} of them came here.`,
      )
    }
    return total.rejected > 0 ? 1 : 0
  },
}

async function* listedRows(file: string, given: Given): AsyncGenerator<ListedTexts> {
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

/** The API counts the calls of a request; the file has its own lines. */
function add(total: Result, more: Result, rows: readonly ListedTexts[]): Result {
  const mistakes = more.mistakes.map((mistake) => ({
    ...mistake,
    line: rows[mistake.line - 1]?.line ?? mistake.line,
  }))
  return {
    read: total.read + more.read,
    taken: total.taken + more.taken,
    known: total.known + more.known,
    matched: total.matched + more.matched,
    rejected: total.rejected + more.rejected,
    mistakes: [...total.mistakes, ...mistakes].slice(0, MAX_MISTAKES),
  }
}

function importPath(given: Given): string {
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
  const text = query.toString()
  return `/api/completeness/calls${text === '' ? '' : `?${text}`}`
}
