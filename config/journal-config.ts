import { z } from 'zod'

export const journalSchema = z.strictObject({
  /**
   * When a written entry is put on the disk for good, which matters where the machine loses power: before signalling
   * goes on, within an interval, or when the kernel likes.
   */
  sync: z.enum(['always', 'interval', 'never']).default('interval'),
  /** Of `interval`. */
  syncIntervalMs: z.int().min(1).max(60_000).default(50),
})

export type JournalConfig = z.infer<typeof journalSchema>
