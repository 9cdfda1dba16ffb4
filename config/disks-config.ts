import { z } from 'zod'

const path = z.string().min(1)
const gib = z.number().min(0).max(1_000_000)

/** Where recordings lie, and how full a disk may get. What is absent is worked out from the disk's size. */
export const disksSchema = z.strictObject({
  /** Folder of open recordings; a local disk. Relative paths are under `dataPath`. */
  spoolPath: path.default('spool'),
  /** Folder of ended recordings, which may be on another disk. */
  storePath: path.default('recordings'),
  /** Free space below which a disk is told of. */
  warnFreeGiB: gib.optional(),
  /** Free space below which no new recording begins. */
  refuseFreeGiB: gib.optional(),
  /** A disk that has not answered for so long has failed: recordings that wait for it end. */
  hungAfterS: z.number().min(1).max(300).default(15),
})

export type DisksConfig = z.infer<typeof disksSchema>
