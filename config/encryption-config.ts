import { z } from 'zod'

const path = z.string().min(1)

/** Recordings are encrypted where there are recipients. */
export const encryptionSchema = z.strictObject({
  /** Of age, X25519. */
  recipients: z
    .array(
      z
        .string()
        .regex(
          /^age1[02-9ac-hj-np-z]{58}$/,
          'an X25519 recipient of age: age1 and 58 characters more',
        ),
    )
    .max(20)
    .default([]),
  /** More of them, in a file as `age -R` takes it, which may change while calls go on. */
  recipientsFile: path.optional(),
  /** What opens recordings, for the portal and for verbs: a file as age-keygen writes it. */
  identityFile: path.optional(),
})

export type EncryptionConfig = z.infer<typeof encryptionSchema>
