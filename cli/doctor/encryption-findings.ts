import { messageOf } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { isEncrypted, readRecipients } from '../../storage/encryption/recipients.ts'
import { identitiesOf } from '../keys/key-survey.ts'
import type { Finding } from './finding.ts'

const subject = 'encryption'

/** Whether recordings are encrypted, and whether what is encrypted can be heard. */
export async function checkEncryption({ encryption }: Config): Promise<Finding> {
  if (!isEncrypted(encryption)) {
    const text =
      'recordings are not encrypted: whoever gets at the disk or a backup hears them. docs/encryption.md says how they are.'
    return { level: 'warn', subject, text }
  }
  try {
    const { list } = readRecipients(encryption)
    const identities = await identitiesOf(encryption)
    const count = list.length === 1 ? 'one recipient' : `${list.length} recipients`
    if (identities === undefined) {
      const text = `to ${count}; no identity is configured here (encryption.identityFile), so no portal with this configuration serves recordings.`
      return { level: 'warn', subject, text }
    }
    const opened = await identities.recipients()
    if (opened.some((recipient) => list.includes(recipient))) {
      return { level: 'ok', subject, text: `to ${count}, one of whose identities is here` }
    }
    const text = `to ${count}, and ${identities.path} has the identity of none: nobody can listen to new recordings. Add it, or add its recipient.`
    return { level: 'fail', subject, text }
  } catch (error) {
    return { level: 'fail', subject, text: messageOf(error) }
  }
}
