import { z } from 'zod'
import { contactsQuerySchema } from '../query-schemas.ts'
import { isTimeForm } from './read-instant.ts'

/** Questions and answers of importing the platform's list, as `completeness-schemas.ts` has the others. */

const id = z.uuid()
const instant = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)

export const importResultSchema = z.object({
  importId: id.nullable().meta({
    description: 'By which the import is withdrawn; null where no call could be taken.',
  }),
  read: count,
  taken: count.meta({ description: 'New ones.' }),
  known: count.meta({ description: 'That an earlier import brought.' }),
  matched: count.meta({ description: 'Whose contact is known.' }),
  rejected: count,
  mistakes: z
    .array(
      z.object({
        line: count,
        column: z.string(),
        found: z.string().nullable(),
        expected: z.string(),
      }),
    )
    .meta({ description: 'The first hundred.' }),
})

const listName = z
  .string({ error: 'a name of 1 to 64 letters, digits, dots, hyphens and underscores' })
  .regex(/^[A-Za-z0-9._-]{1,64}$/, {
    error: 'a name of 1 to 64 letters, digits, dots, hyphens and underscores',
  })
  .default('platform')
  .meta({ description: 'Whose list it is: a call of one list is taken once.' })
const timeZone = z
  .string()
  .refine(isTimeZone, { error: 'an IANA time zone, as Europe/Helsinki' })
  .optional()
  .meta({ description: 'Of times without a zone; else that of the catch-all line.' })
const timeFormat = z
  .string()
  .max(40)
  .refine(isFormat, { error: 'epoch, epochMs, or a form with yyyy, MM, dd, HH and mm, each once' })
  .optional()
  .meta({ description: 'As `dd.MM.yyyy HH:mm:ss`, `epoch` or `epochMs`.' })
const toleranceError = 'a whole number of seconds from 0 to 600'
const tolerance = z
  .preprocess(
    (value) => (typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : value),
    z.int({ error: toleranceError }).min(0, toleranceError).max(600, toleranceError),
  )
  .default(10)
  .meta({ description: 'How far the list’s times may be off where only numbers name a call.' })

export const importQuerySchema = z.strictObject({
  list: listName,
  import: id.optional().meta({
    description: '`importId` of the part before, where a list is sent in parts.',
  }),
  timeZone,
  timeFormat,
  toleranceS: tolerance,
  columns: z
    .string()
    .max(2000)
    .optional()
    .meta({ description: 'Of CSV: `startedAt=Start Time,caller=ANI`, where headings differ.' }),
})

export const MAX_JSON_CALLS = 5000

/** Each call is read by itself, so that a wrong one is told and the others are taken. */
export const listedCallsSchema = z.object({ calls: z.array(z.unknown()).max(MAX_JSON_CALLS) })

export const importsQuerySchema = z.strictObject({
  cursor: contactsQuerySchema.shape.cursor,
  limit: contactsQuerySchema.shape.limit,
})

export const importPageSchema = z.object({
  items: z.array(
    z.object({
      id,
      list: z.string(),
      importedAt: instant,
      importedBy: z.string().nullable().meta({
        description: 'The name of a token; null of imports by a version that did not keep it.',
      }),
      calls: count.meta({
        description: 'That it lists, new or not. One that was withdrawn lists none.',
      }),
      matched: count,
      missing: count,
      firstAt: instant.nullable(),
      lastAt: instant.nullable(),
      withdrawnAt: instant.nullable(),
      withdrawnBy: z.string().nullable(),
    }),
  ),
  nextCursor: z.string().nullable(),
})

export const withdrawalSchema = z.object({
  id,
  list: z.string(),
  withdrawnAt: instant.meta({ description: 'When it was withdrawn first.' }),
  withdrawnBy: z.string(),
  removed: count.meta({ description: 'Calls that no other import lists, now.' }),
  kept: count.meta({ description: 'Calls that stay, since another import lists them too.' }),
})

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function isFormat(format: string): boolean {
  return format === 'epoch' || format === 'epochMs' || isTimeForm(format)
}
