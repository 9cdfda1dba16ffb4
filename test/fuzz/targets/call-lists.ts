import { TallenneError } from '../../../base/tallenne-error.ts'
import { parseColumnNames } from '../../../portal/completeness/call-list-columns.ts'
import { readCsv } from '../../../portal/completeness/csv-records.ts'
import { decoderOf, decodeText } from '../../../portal/completeness/decode-text.ts'
import { CallListImport, importCsv } from '../../../portal/completeness/import-calls.ts'
import { importQuerySchema } from '../../../portal/completeness/import-schemas.ts'
import { CsvError } from '../../../portal/completeness/list-texts.ts'
import { type FuzzTarget, latin1, Unsound } from '../target.ts'

const COLUMNS = 'startedAt;reference;caller;service number;duration;answered'
const SEEDS = [
  `timeZone=Europe/Helsinki\n${COLUMNS}\n2026-01-31 10:00;a;+12025550100;2000;1:30;yes\n`,
  'timeFormat=dd.MM.yyyy HH:mm:ss\nstart,ucid\n31.01.2026 10:00:00,"a ""b"""\n',
  'timeFormat=epoch&columns=startedAt=Begin,callId=Id\nBegin\tId\n1700000000\tx\n',
]

/** A platform's own list: each call is taken or told to be wrong, and the same in whatever pieces the list comes. */
export const callLists: FuzzTarget = {
  name: 'call-lists',
  covers: ['portal/completeness/'],
  seeds: () => SEEDS.map((seed) => Buffer.from(seed)),
  words: [
    ...['timeFormat=', 'timeZone=', 'columns=', '&', 'yyyy', 'MM', 'dd', 'HH', 'mm', 'ss', 'SSS'],
    ...['"', '""', ';', '\t', ',', '\r\n', '\r', '\u00ef\u00bb\u00bf', 'epochMs', 'sip:', '('],
    ...['2026-03-29T03:30:00', '2026-10-25 03:30', '-000001-01-01', '24:00', '+14:00'],
  ],
  maxBytes: 8_192,
  start: () => ({
    take: async (input) => {
      const end = input.indexOf(0x0a)
      const query = new URLSearchParams(latin1(input.subarray(0, Math.max(0, end))))
      const asked = importQuerySchema.safeParse({ list: 'a', ...Object.fromEntries(query) })
      if (!asked.success) return
      const list = input.subarray(end + 1)
      const whole = await imported([list], asked.data)
      const inPieces = await imported(cut(list, 1 + (input.length % 7)), asked.data)
      if (whole !== inPieces) throw new Unsound(`${whole} and ${inPieces} in pieces`)
    },
  }),
}

function cut(list: Uint8Array, bytes: number): readonly Uint8Array[] {
  const count = Math.ceil(list.length / bytes)
  return Array.from({ length: count }, (_, at) => list.subarray(at * bytes, (at + 1) * bytes))
}

/** What came of a list, as text. */
async function imported(
  cutList: readonly Uint8Array[],
  { timeZone, timeFormat, columns }: ReturnType<typeof importQuerySchema.parse>,
): Promise<string> {
  async function* pieces() {
    yield* cutList
  }
  const decoder = decoderOf('utf-8')
  if (decoder === undefined) throw new Unsound('no UTF-8')
  const starts: number[] = []
  const importing = new CallListImport(
    {
      ...{ timeZone: timeZone ?? 'Europe/Helsinki', format: timeFormat, region: 'FI' },
      ...{ serviceLineOf: () => 'line', latestMs: Date.UTC(2100, 0) },
    },
    async (calls) => {
      starts.push(...calls.map(({ startedAtMs }) => startedAtMs))
      return { taken: calls.length, known: 0, matched: 0 }
    },
  )
  try {
    const names = parseColumnNames(columns?.split(',') ?? [])
    await importCsv(importing, readCsv(decodeText(pieces(), decoder)), names)
    const result = await importing.finish()
    if (starts.some((startMs) => Number.isNaN(new Date(startMs).getTime()))) {
      throw new Unsound('a call at no time')
    }
    if (result.read !== result.taken + result.rejected) throw new Unsound('calls that are nowhere')
    return JSON.stringify(result)
  } catch (error) {
    if (error instanceof CsvError || error instanceof TallenneError) return error.message
    throw error
  }
}
