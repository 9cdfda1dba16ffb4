import { z } from 'zod'

/** How sessions of one call find together. */
export const joiningSchema = z.strictObject({
  /** Kinds of references that name a call; see docs/identification.md. */
  by: z.array(z.string()).optional(),
  /** A session that begins so long after the call's end still belongs to it, seconds. */
  afterEndS: z.number().min(0).max(300).default(10),
})
