import { z } from 'zod'
import { DISCREPANCY_KINDS } from '../../storage/completeness/discrepancies.ts'
import { CALL_STANDINGS } from '../../storage/completeness/read-completeness.ts'
import { contactsQuerySchema } from '../query-schemas.ts'

/** Questions and answers of the completeness API, for the routes, the command line and the OpenAPI document. */

const id = z.uuid()
const instant = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)
const { from, to, serviceLine, cursor, limit } = contactsQuerySchema.shape
const period = {
  from: from.meta({
    description: 'Calls that began at this instant or later; else a day before `to`.',
  }),
  to: to.meta({ description: 'Calls that began before this instant; else now.' }),
  serviceLine,
}
const word = z
  .string({ error: 'a reason as answers have it' })
  .regex(/^[a-z0-9_]{1,64}$/, { error: 'a reason as answers have it' })

export const completenessQuerySchema = z.strictObject(period)

export const callsQuerySchema = z.strictObject({
  ...period,
  outcome: z
    .enum(CALL_STANDINGS, { error: `one of ${CALL_STANDINGS.join(', ')}` })
    .optional()
    .meta({ description: 'Calls of which this became.' }),
  reason: word.optional().meta({ description: 'Calls with this reason.' }),
  cursor,
  limit,
})

export const missingQuerySchema = z.strictObject({ ...period, cursor, limit })

const standingsSchema = z
  .object(
    Object.fromEntries(CALL_STANDINGS.map((standing) => [standing, count])) as Record<
      (typeof CALL_STANDINGS)[number],
      typeof count
    >,
  )
  .meta({
    description:
      'Each call is in one: a verdict; `refused` (not taken), `unanswered`, `exempt` (its route is not recorded); `open` (goes on, or has just ended), `overdue` (no verdict a minute after its end).',
  })

export const completenessSchema = z.object({
  from: instant,
  to: instant,
  isAccountedFor: z.boolean().meta({
    description:
      'No call is overdue, none that the platform lists is missing, and nothing disagrees.',
  }),
  calls: count,
  outcomes: standingsSchema,
  reasons: z.array(z.object({ outcome: z.enum(CALL_STANDINGS), reason: z.string(), calls: count })),
  serviceLines: z.array(
    z.object({ serviceLine: z.string(), calls: count, outcomes: standingsSchema }),
  ),
  platform: z
    .object({
      calls: count,
      matched: count,
      missing: count.meta({ description: 'Listed calls that never came here.' }),
      notSent: count.meta({ description: 'Listed as unanswered, and without a contact.' }),
      firstAt: instant.nullable(),
      lastAt: instant.nullable(),
    })
    .meta({ description: 'The platform’s own list of calls of the period, as far as imported.' }),
  discrepancies: z
    .object(
      Object.fromEntries(DISCREPANCY_KINDS.map((kind) => [kind, count])) as Record<
        (typeof DISCREPANCY_KINDS)[number],
        typeof count
      >,
    )
    .meta({ description: 'What does not agree now, in any period, by kind.' }),
})

export const callPageSchema = z.object({
  items: z.array(
    z.object({
      contactId: id,
      callId: z.string(),
      platformReference: z.string().nullable(),
      node: z.string(),
      serviceLine: z.string(),
      startedAt: instant,
      answeredAt: instant.nullable(),
      endedAt: instant.nullable(),
      endReason: z.string().nullable(),
      outcome: z.enum(CALL_STANDINGS),
      reasons: z.array(z.string()),
      recordingIds: z.array(id),
    }),
  ),
  nextCursor: z.string().nullable(),
})

export const missingPageSchema = z.object({
  items: z.array(
    z.object({
      list: z.string(),
      platformReference: z.string().nullable(),
      callId: z.string().nullable(),
      startedAt: instant,
      durationS: count.nullable(),
      caller: z.string().nullable(),
      serviceNumber: z.string().nullable(),
      serviceLine: z.string(),
    }),
  ),
  nextCursor: z.string().nullable(),
})

export const discrepanciesSchema = z.object({
  items: z.array(
    z.object({
      kind: z.enum(DISCREPANCY_KINDS),
      subject: id.meta({ description: 'Of a contact or a recording.' }),
      nodeId: z.string(),
      foundAt: instant,
      seenAt: instant,
    }),
  ),
})

export const importResultSchema = z.object({
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
  .refine(isFormat, { error: 'epoch, epochMs, or a form with yyyy, MM, dd, HH and mm' })
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
  timeZone,
  timeFormat,
  toleranceS: tolerance,
  columns: z
    .string()
    .max(2000)
    .optional()
    .meta({ description: 'Of CSV: `startedAt=Start Time,caller=ANI`, where headings differ.' }),
})

const text = (length: number) => z.string().max(length).nullish()

export const listedCallsSchema = z.object({
  calls: z
    .array(
      z.object({
        startedAt: z.string().max(64),
        reference: text(255),
        callId: text(512),
        caller: text(255),
        serviceNumber: text(255),
        durationS: z.union([z.string().max(20), z.number().min(0)]).nullish(),
        answered: z.union([z.string().max(20), z.boolean()]).nullish(),
      }),
    )
    .max(5000),
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
  const parts = ['yyyy', 'MM', 'dd', 'HH', 'mm']
  return format === 'epoch' || format === 'epochMs' || parts.every((part) => format.includes(part))
}
