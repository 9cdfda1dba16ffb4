import type { Config } from '../../config/config.ts'
import type { Queryable } from '../../storage/database.ts'
import { type Identities, readIdentities } from '../../storage/encryption/identities.ts'
import {
  isEncrypted,
  type Recipients,
  readRecipients,
} from '../../storage/encryption/recipients.ts'
import { countEncryption, type EncryptionCount } from '../../storage/stored-files.ts'
import { formatTable } from '../table.ts'

/** Whom recordings are encrypted to, and what there is of them. */
export interface KeySurvey {
  /** Null where recordings are not encrypted. */
  readonly keySet: string | null
  readonly recipients: readonly SurveyedRecipient[]
  /** Of identities that are here and belong to no present recipient. */
  readonly otherIdentities: readonly string[]
  readonly recordings: readonly EncryptionCount[]
}

export interface SurveyedRecipient {
  readonly recipient: string
  /** Whether its identity is here; null where none was looked for. */
  readonly hasIdentity: boolean | null
}

/** Rejects as `readRecipients` and `readIdentities` do. */
export async function surveyKeys(
  { encryption }: Pick<Config, 'encryption'>,
  database: Queryable,
): Promise<KeySurvey> {
  const recipients = isEncrypted(encryption) ? readRecipients(encryption) : undefined
  const identities = await identitiesOf(encryption)
  const opened = (await identities?.recipients()) ?? []
  return {
    keySet: recipients?.keySet ?? null,
    recipients: surveyRecipients(recipients, identities && opened),
    otherIdentities: opened.filter((recipient) => !recipients?.list.includes(recipient)),
    recordings: await countEncryption(database),
  }
}

/** What is configured to open recordings. Rejects as `readIdentities` does. */
export async function identitiesOf({
  identityFile,
}: Config['encryption']): Promise<Identities | undefined> {
  return identityFile === undefined ? undefined : readIdentities(identityFile)
}

function surveyRecipients(
  recipients: Recipients | undefined,
  opened: readonly string[] | undefined,
): readonly SurveyedRecipient[] {
  return (recipients?.list ?? []).map((recipient) => ({
    recipient,
    hasIdentity: opened?.includes(recipient) ?? null,
  }))
}

export function describeKeys(survey: KeySurvey): readonly string[] {
  const { keySet, recipients, otherIdentities, recordings } = survey
  const lines: string[] = []
  if (keySet === null) {
    lines.push('Recordings are not encrypted: docs/encryption.md says how they are.')
  } else {
    const rows = recipients.map(({ recipient, hasIdentity }) => [
      recipient,
      hasIdentity === null ? '-' : hasIdentity ? 'here' : 'elsewhere',
    ])
    lines.push(...formatTable(['RECIPIENT', 'IDENTITY'], rows))
  }
  for (const recipient of otherIdentities) {
    lines.push(`An identity is here for ${recipient}, to which nothing new is encrypted.`)
  }
  if (recordings.length > 0) {
    const rows = recordings.map((count) => [
      count.encryption,
      count.keySet ?? '-',
      String(count.recordings),
      (count.bytes / 1024 ** 2).toFixed(1),
      noteOf(count, keySet),
    ])
    lines.push('', ...formatTable(['FILES', 'KEY SET', 'RECORDINGS', 'MIB', ''], rows))
  }
  return lines
}

function noteOf({ encryption, keySet }: EncryptionCount, present: string | null): string {
  if (encryption === 'none') return present === null ? '' : 'in the clear'
  if (encryption === 'sealed') return 'left by a crash'
  return keySet === present ? 'to the present recipients' : 'to other recipients'
}
