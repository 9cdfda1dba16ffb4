import type { EncryptionConfig } from '../config/encryption-config.ts'
import type { EncryptionSettings } from '../recorder/engine-protocol.ts'
import { isEncrypted, readRecipients } from '../storage/encryption/recipients.ts'

/**
 * Whom this node's recordings are encrypted to; undefined where they are not. Of the identities it knows nothing.
 * Throws where recipients are configured and cannot be taken: a node that cannot encrypt takes no calls.
 */
export function encryptionOf({
  recipients,
  recipientsFile,
}: EncryptionConfig): EncryptionSettings | undefined {
  const settings = { recipients, recipientsFile }
  if (!isEncrypted(settings)) return undefined
  return { ...settings, atStart: readRecipients(settings) }
}
