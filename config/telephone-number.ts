import { z } from 'zod'

/** A telephone number as E.164 writes it. */
export const e164 = z.string().regex(/^\+[1-9]\d{3,14}$/, 'E.164, as +12025550100')
