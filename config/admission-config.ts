import { z } from 'zod'

const share = z.number().min(0.1).max(1)

/** When a node takes no more calls. What it measures it knows; these say how much of it may be used. */
export const admissionSchema = z.strictObject({
  /** Busy time of an engine's thread beyond which it takes no more, its encoders being at the least complexity. */
  mostEngineLoad: share.default(0.85),
  /** Busy time of the thread of signalling beyond which new calls are refused. */
  mostSignallingLoad: share.default(0.9),
  /** How long a refused sender is asked to wait before it comes again. */
  retryAfterS: z.int().min(1).max(3600).default(5),
})

export type AdmissionConfig = z.infer<typeof admissionSchema>
