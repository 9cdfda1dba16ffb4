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
      importIds: z.array(id).meta({ description: 'Imports that list it, the latest first.' }),
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
