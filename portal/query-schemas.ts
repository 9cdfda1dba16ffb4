import { z } from 'zod'
import { LANGUAGES } from '../base/languages.ts'

/** Parameters of the API's queries. Messages say what is expected. The OpenAPI document is made from these. */

/** What an unescaped plus sign becomes in a query string, put back where only a plus sign makes sense. */
function restorePlus(pattern: RegExp) {
  return (value: unknown) =>
    typeof value === 'string' && pattern.test(value) ? value.replace(' ', '+') : value
}

function text(maxLength: number) {
  const expected = `1 to ${maxLength} characters without control characters`
  return z
    .string({ error: expected })
    .min(1)
    .max(maxLength)
    .regex(/^\P{Cc}+$/u, { error: expected })
}

const number = z.preprocess(restorePlus(/^ \d+$/), text(255))

// MariaDB's DATETIME ends with the year 9999, and nothing was recorded before 1970.
const LATEST_MS = Date.UTC(9999, 0)

const instant = z.preprocess(
  restorePlus(/^[^ ]*T[^ ]* \d\d:\d\d$/),
  z.iso
    .datetime({
      offset: true,
      error: 'an ISO 8601 instant with its zone, as 2026-01-31T08:00:00Z or …+02:00',
    })
    .refine((value) => Date.parse(value) >= 0 && Date.parse(value) < LATEST_MS, {
      error: 'a year from 1970 to 9998',
    }),
)

function wholeNumber(value: unknown) {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
}

export const contactsQuerySchema = z.strictObject({
  callId: text(512).optional().meta({ description: "SIP Call-ID of the caller's call, exactly." }),
  caller: number.optional().meta({
    description: 'Caller number, in E.164 or exactly as the platform sent it.',
    example: '+12025550147',
  }),
  serviceNumber: number.optional().meta({
    description: 'Dialled service number, in E.164 or exactly as the platform sent it.',
    example: '+12025550100',
  }),
  serviceLine: text(63).optional().meta({ description: 'Name of the service line.' }),
  agent: text(255).optional().meta({
    description: 'An agent who handled the contact or a segment of it.',
  }),
  platformReference: text(255).optional().meta({
    description: 'What the platform calls the call, in the form in which contacts show it.',
  }),
  from: instant.optional().meta({
    description: 'Contacts that started at this instant or later.',
    example: '2026-01-31T08:00:00Z',
  }),
  to: instant.optional().meta({ description: 'Contacts that started before this instant.' }),
  cursor: z
    .string({ error: 'the nextCursor of the page before' })
    .regex(/^[\x21-\x7e]{1,512}$/)
    .optional()
    .meta({ description: '`nextCursor` of the page before; the other parameters stay the same.' }),
  limit: z
    .preprocess(wholeNumber, z.int({ error: 'a whole number from 1 to 500' }).min(1).max(500))
    .default(50)
    .meta({ description: 'Most contacts of a page.' }),
})

export const AUDIO_FORMATS = ['ogg', 'webm', 'mp3', 'wav'] as const

/** Formats in which a recording is served; `ogg` is the file as it is stored. */
export type AudioFormat = (typeof AUDIO_FORMATS)[number]

export const audioQuerySchema = z.strictObject({
  format: z
    .enum(AUDIO_FORMATS, { error: `one of ${AUDIO_FORMATS.join(', ')}` })
    .default('ogg')
    .meta({
      description: '`ogg` is the recording as stored, with ranges; the others are made as they go.',
    }),
})

export const recordingQuerySchema = z.strictObject({
  lang: z
    .enum(LANGUAGES, { error: `one of ${LANGUAGES.join(', ')}` })
    .optional()
    .meta({
      description: 'Language of the explanation; else that of Accept-Language, else English.',
    }),
})

export const noQuerySchema = z.strictObject({})
