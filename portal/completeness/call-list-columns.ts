import { TallenneError } from '../../base/tallenne-error.ts'

/** What a list may say of a call, and by which headings it is known where nobody says otherwise. */
const HEADINGS = {
  startedAt: ['startedat', 'starttime', 'start'],
  reference: ['reference', 'platformreference', 'ucid'],
  callId: ['callid', 'sipcallid'],
  caller: ['caller', 'callernumber', 'ani'],
  serviceNumber: ['servicenumber', 'dnis', 'called', 'callednumber'],
  durationS: ['durations', 'duration', 'durationseconds'],
  answered: ['answered'],
} as const

export type ListField = keyof typeof HEADINGS
export const LIST_FIELDS = Object.keys(HEADINGS) as readonly ListField[]

/** The column of each field that the list has, counted from 0. */
export type ListColumns = ReadonlyMap<ListField, number>

const NAMES: readonly ListField[] = ['reference', 'callId', 'caller', 'serviceNumber']

/** `FIELD=HEADING` pairs. Throws `bad_columns`. */
export function parseColumnNames(pairs: readonly string[]): ReadonlyMap<ListField, string> {
  return new Map(
    pairs.map((pair) => {
      const [name = '', ...heading] = pair.split('=')
      const field = LIST_FIELDS.find((known) => known === name.trim())
      if (field === undefined || heading.length === 0) {
        throw new TallenneError(
          'bad_columns',
          `${JSON.stringify(pair)} is no column: expected FIELD=HEADING with one of ${LIST_FIELDS.join(', ')}.`,
        )
      }
      return [field, heading.join('=').trim()]
    }),
  )
}

/**
 * Finds the fields by the list's headings, letters' case and signs between words aside. Throws `bad_columns` where a
 * heading that was asked for is not there, and where calls could not be told by what there is.
 */
export function findColumns(
  headings: readonly string[],
  asked: ReadonlyMap<ListField, string>,
): ListColumns {
  const known = headings.map(plain)
  const columns = new Map<ListField, number>()
  for (const field of LIST_FIELDS) {
    const wanted = asked.get(field)
    const names: readonly string[] = wanted === undefined ? HEADINGS[field] : [plain(wanted)]
    const column = known.findIndex((heading) => names.includes(heading))
    if (column >= 0) columns.set(field, column)
    else if (wanted !== undefined) {
      throw new TallenneError(
        'bad_columns',
        `The list has no column ${JSON.stringify(wanted)}: its headings are ${headings.join(', ')}.`,
      )
    }
  }
  if (!columns.has('startedAt') || !NAMES.some((field) => columns.has(field))) {
    throw new TallenneError(
      'bad_columns',
      `The list needs a column for startedAt and one for any of ${NAMES.join(', ')}; its headings are ${headings.join(', ')}.`,
    )
  }
  return columns
}

function plain(heading: string): string {
  return heading.toLowerCase().replaceAll(/[\s_.-]/g, '')
}
