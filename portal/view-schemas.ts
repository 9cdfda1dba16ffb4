import { z } from 'zod'
import { LANGUAGES } from '../base/languages.ts'
import type {
  ContactPage,
  ContactView,
  RecordingView,
  SegmentView,
  ServiceLine,
  StoredFileView,
} from '../storage/model.ts'

/** Shapes of the API's answers, for the OpenAPI document. `satisfies` holds them to what storage gives. */

const id = z.uuid().meta({ description: 'Opaque; a UUID in lower case.' })
const instant = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

export const segmentSchema = z
  .object({
    id,
    agent: z.string().nullable(),
    startedAt: instant,
    endedAt: instant.nullable(),
    spans: z
      .array(z.object({ recordingId: id, fromMs: count, toMs: count }))
      .meta({ description: 'Where it lies in the recordings, on the timeline of each.' }),
  })
  .meta({
    description: 'A stretch of a contact handled by one agent; in a conference they overlap.',
  })

const pauseBy = z.enum(['api', 'dtmf', 'offer']).meta({
  description: 'The platform, a party’s keys, or the recording client’s re-offer.',
})
const pauseSchema = z.object({
  fromMs: count,
  toMs: count.nullable().meta({ description: 'Null while it lasts.' }),
  by: pauseBy,
  reason: z.string().nullable().meta({ description: 'The word that the platform gave.' }),
})

export const recordingSchema = z
  .object({
    id,
    state: z
      .enum(['recording', 'complete', 'partial', 'silent', 'failed', 'deleting', 'deleted'])
      .meta({ description: '`recording` until the call ends, then its verdict.' }),
    reasons: z.array(z.string()).meta({
      description:
        'Why the verdict is what it is: `leg_silent`, `media_lost`, `crash_recovered`, …',
    }),
    startedAt: instant,
    durationMs: count.nullable().meta({ description: 'Length of the audio.' }),
    channels: z
      .union([
        z.tuple([z.literal('caller'), z.literal('agent')]),
        z.tuple([z.literal('mixed'), z.literal('mixed')]),
      ])
      .meta({ description: '`mixed` where the platform sent all parties in one stream.' }),
    codec: z.literal('opus'),
    bytes: count.nullable().meta({ description: 'Of the audio as it is served.' }),
    sha256: sha256.nullable().meta({
      description: 'Of the audio as it is served; null while nobody has read it whole.',
    }),
    lostMs: count.nullable().meta({ description: 'Audio that was lost, of both channels.' }),
    pauses: z.array(pauseSchema).meta({
      description: 'Stretches that are silent on request, in milliseconds from the audio’s start.',
    }),
    onHold: z
      .array(z.object({ fromMs: count, toMs: count }))
      .meta({ description: 'Stretches in which a party was on hold, where signalling told.' }),
    deleteAfter: instant.nullable().meta({
      description: 'Null while the call goes on, or where the line keeps its recordings for ever.',
    }),
    held: z.boolean().meta({ description: 'A hold keeps it beyond `deleteAfter`.' }),
  })
  .meta({ description: 'One audio file of a contact.' })

export const storedFileSchema = z
  .object({
    bytes: count.nullable(),
    sha256: sha256.nullable(),
    encryption: z.enum(['none', 'sealed', 'age']).meta({
      description: '`sealed` is what a crash leaves of a file that was to become an age file.',
    }),
    keySet: z
      .string()
      .nullable()
      .meta({ description: 'Names the recipients of an encrypted file, as `tallenne keys` does.' }),
  })
  .meta({ description: 'The file as it stands in the store.' })

export const recordingDetailsSchema = z
  .object({
    recording: recordingSchema,
    contactId: id,
    serviceLine: z.string(),
    stored: storedFileSchema,
    deletion: z
      .object({
        deletedAt: instant.nullable(),
        period: z.string().nullable(),
        policyVersion: z.int().nullable(),
      })
      .nullable()
      .meta({ description: 'When and by which policy it was deleted; null while it stands.' }),
    explanation: z.object({
      fate: z
        .enum(['open', 'unruled', 'kept', 'planned', 'due', 'held', 'deleting', 'deleted'])
        .meta({ description: 'What becomes of the recording.' }),
      language: z.enum(LANGUAGES),
      text: z.string().meta({ description: 'The same in sentences for people.' }),
    }),
  })
  .meta({ description: 'A recording, and why it is still here or is not.' })

const foundInSchema = z
  .object({
    source: z.string().meta({ description: 'By its name, as `participant-label`.' }),
    isGuess: z.boolean().meta({ description: 'Only order, position or the like said so.' }),
  })
  .nullable()

export const contactSchema = z
  .object({
    id,
    callId: z.string().meta({ description: 'SIP Call-ID.' }),
    capture: z.enum(['siprec', 'trunk']),
    direction: z.enum(['inbound', 'outbound', 'unknown']),
    caller: z.string().nullable().meta({
      description: 'E.164 where known, else as it was dialled; null where withheld or absent.',
    }),
    callerRaw: z.string().nullable().meta({ description: 'As the platform sent it.' }),
    callerWithheld: z.boolean(),
    serviceNumber: z.string().nullable(),
    serviceLine: z.string(),
    agent: z.string().nullable(),
    platformReference: z.string().nullable().meta({
      description: 'What the platform calls the call: a UCID, a tracking id, a conversation id, …',
    }),
    foundIn: z
      .object({
        caller: foundInSchema,
        serviceNumber: foundInSchema,
        agent: foundInSchema,
        platformReference: foundInSchema,
      })
      .meta({ description: 'Which source gave each fact; null where none did.' }),
    startedAt: instant,
    answeredAt: instant.nullable(),
    endedAt: instant.nullable(),
    endReason: z.string().nullable(),
    notes: z
      .record(z.string(), z.string())
      .meta({ description: 'What the platform noted of the contact, by names of its own.' }),
    segments: z.array(segmentSchema),
    recordings: z.array(recordingSchema),
    sessions: z
      .array(
        z.object({
          callId: z.string(),
          node: z.string(),
          startedAt: instant,
          endedAt: instant.nullable(),
        }),
      )
      .meta({
        description:
          'Each recording session, the first one first, where several brought the call; else empty.',
      }),
  })
  .meta({ description: "One caller's call to a service number." })

export const contactMetadataSchema = z
  .object({
    items: z.array(
      z.object({
        callId: z.string().meta({ description: 'SIP Call-ID of the session that received it.' }),
        receivedAt: instant,
        document: z.string().meta({ description: 'As received, at most 64 KiB.' }),
      }),
    ),
  })
  .meta({ description: 'Recording metadata as the clients sent it, the oldest first.' })

export const contactPageSchema = z.object({
  items: z.array(contactSchema).meta({ description: 'Newest first.' }),
  nextCursor: z.string().nullable().meta({ description: 'Null on the last page.' }),
})

export const serviceLineSchema = z.object({
  name: z.string(),
  numbers: z.array(z.string()).meta({ description: 'Service numbers in E.164.' }),
  period: z.string().nullable().meta({
    description: 'ISO 8601 duration that recordings are kept; null keeps them for ever.',
  }),
  timeZone: z.string().meta({ description: 'IANA time zone in which the period runs.' }),
  isCatchAll: z
    .boolean()
    .meta({ description: 'Takes contacts whose service number is no other line’s.' }),
})

export const serviceLinesSchema = z.object({ items: z.array(serviceLineSchema) })

export const liveCallsSchema = z
  .object({
    items: z.array(
      z.looseObject({
        contactId: id,
        callId: z.string(),
        startedAt: instant,
        serviceLine: z.string(),
      }),
    ),
  })
  .meta({ description: 'Calls that go on now, as their node tells them.' })

export const orderedCallsSchema = z
  .object({
    items: z.array(
      z.object({
        contactId: id,
        callId: z.string(),
        recordingId: id.nullable(),
        isPaused: z.boolean(),
        pausedBy: z.array(pauseBy),
        isStopped: z
          .boolean()
          .meta({ description: 'The recording has ended, and the call goes on.' }),
        pauses: z.array(pauseSchema),
      }),
    ),
  })
  .meta({ description: 'The live calls that an order was for, as they are after it.' })

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'Stable, for programs.' }),
    detail: z.string().meta({ description: 'A sentence for people.' }),
    parameters: z
      .array(
        z.object({
          parameter: z.string(),
          found: z.string().nullable(),
          expected: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ description: 'RFC 9457.' })

segmentSchema satisfies z.ZodType<SegmentView>
storedFileSchema satisfies z.ZodType<StoredFileView>
recordingSchema satisfies z.ZodType<RecordingView>
contactSchema satisfies z.ZodType<ContactView>
contactPageSchema satisfies z.ZodType<ContactPage>
serviceLineSchema satisfies z.ZodType<ServiceLine>
