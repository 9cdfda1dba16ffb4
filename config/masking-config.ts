import { z } from 'zod'

const code = z
  .string()
  .regex(
    /^[*#][0-9*#A-D]{1,7}$/,
    'a star or number sign and one to seven keys more, as "*71" (quoted, since * and # mean something in YAML)',
  )

const keys = z
  .strictObject({
    pause: code,
    resume: code,
    /** `agent` lets only the agent's keys count, `either` those of both parties. */
    from: z.enum(['agent', 'either']).default('agent'),
  })
  .refine(({ pause, resume }) => !pause.endsWith(resume) && !resume.endsWith(pause), {
    path: ['resume'],
    message: 'another code than pause, and neither at the end of the other',
  })

/** What a service line's recordings leave out on request. */
export const maskingSchema = z.strictObject({
  /** Keys that pause and resume a recording; none where absent. */
  keys: keys.optional(),
  /** A pause that lasts longer was forgotten, perhaps: it is told. */
  longestPauseS: z.int().min(1).max(86_400).default(600),
  /** Whether the recording goes on then by itself. */
  resumesByItself: z.boolean().default(false),
  /** Whether tones of keys that are heard in the audio itself are taken out of it. */
  removesTones: z.boolean().default(false),
})

export type MaskingConfig = z.infer<typeof maskingSchema>

/** Of lines that say nothing. */
export const DEFAULT_MASKING: MaskingConfig = maskingSchema.parse({})
