import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { auditEvent } from '../../storage/audit/audit-event.ts'
import { makeIdentity } from '../../storage/encryption/new-identity.ts'
import { isRecipient, readRecipients } from '../../storage/encryption/recipients.ts'
import { addToRecipients, retireFromRecipients } from '../../storage/encryption/recipients-file.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { describeKeys, surveyKeys } from '../keys/key-survey.ts'
import { commandLineTrail, operatorOf } from '../operator-audit.ts'
import { hasFlag, type Terminal, textOption, type Verb } from '../verb.ts'
import { withPool } from '../with-pool.ts'

/** Shows whom recordings are encrypted to, and what can open them. */
export const keysVerb: Verb = {
  name: 'keys',
  help: `Usage: tallenne keys [--json]
       tallenne keys new -o FILE          make an identity
       tallenne keys add RECIPIENT        encrypt to one more recipient from now on
       tallenne keys retire RECIPIENT     encrypt to it no more
       tallenne keys reencrypt            bring older recordings to the present recipients
       tallenne keys open FILE -o FILE    open a recording's file by hand

Shows whom recordings are encrypted to, whose identities are here, and how many recordings are
encrypted in which way. docs/encryption.md is the guide.

  --json          as JSON
${CONFIG_HELP}`,
  options: { ...CONFIG_OPTIONS, json: { type: 'boolean' } },
  words: [],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const survey = await withPool(config, (pool) => surveyKeys(config, pool))
    if (hasFlag(given, 'json')) terminal.print(JSON.stringify(survey))
    else for (const line of describeKeys(survey)) terminal.print(line)
    return 0
  },
}

/** Makes an identity. */
export const keysNewVerb: Verb = {
  name: 'keys new',
  help: `Usage: tallenne keys new -o FILE

Makes an identity, which opens recordings, in a file that this user alone may read, and prints its
recipient, which recordings are encrypted to. The same as "age-keygen -o FILE".

Keep a copy of the file where no recording is: without it nothing opens what was encrypted to it.

  -o, --output FILE   the file, which must not be there`,
  options: { output: { type: 'string', short: 'o' } },
  words: [],
  run: async (given, terminal) => {
    const output = textOption(given, 'output')
    if (output === undefined) {
      throw new TallenneError('missing_option', 'keys new needs -o FILE: where to write it.')
    }
    terminal.print(await makeIdentity(output, new Date()))
    return 0
  },
}

/** Adds a recipient. */
export const keysAddVerb: Verb = {
  name: 'keys add',
  help: `Usage: tallenne keys add RECIPIENT [--comment TEXT]

Adds a recipient to encryption.recipientsFile. A gateway that reads this file encrypts to it from
the next recording on, without a restart. Older recordings: tallenne keys reencrypt.

  --comment TEXT   whose it is, for a line above it
${CONFIG_HELP}`,
  options: { ...CONFIG_OPTIONS, comment: { type: 'string' } },
  words: ['RECIPIENT'],
  run: async (given, terminal) => {
    const [recipient = ''] = given.words
    if (!isRecipient(recipient)) throw noRecipient(recipient)
    const config = findConfig(given, terminal)
    const path = recipientsFileOf(config)
    const comment = (textOption(given, 'comment') ?? '').replace(/\s+/g, ' ').trim()
    const added = `added ${today()}`
    return change(config, terminal, {
      details: { change: 'added', recipient },
      make: () => addToRecipients(path, recipient, comment === '' ? added : `${comment}, ${added}`),
      done: `${path}: recordings are encrypted to it from the next one on. Older ones: tallenne keys reencrypt.`,
      undone: `${path} has it already.`,
    })
  },
}

/** Takes a recipient away. */
export const keysRetireVerb: Verb = {
  name: 'keys retire',
  help: `Usage: tallenne keys retire RECIPIENT

Takes a recipient out of encryption.recipientsFile, where a comment tells of it. A gateway that
reads this file encrypts to it no more from the next recording on. Its identity opens older
recordings until tallenne keys reencrypt has run: keep it until then.

${CONFIG_HELP}`,
  options: CONFIG_OPTIONS,
  words: ['RECIPIENT'],
  run: async (given, terminal) => {
    const [recipient = ''] = given.words
    if (!isRecipient(recipient)) throw noRecipient(recipient)
    const config = findConfig(given, terminal)
    const path = recipientsFileOf(config)
    const { list } = readRecipients(config.encryption)
    if (config.encryption.recipients.includes(recipient)) {
      throw new TallenneError(
        'recipient_configured',
        'This recipient stands in the configuration itself: delete it from encryption.recipients and start the gateways again.',
      )
    }
    if (list.length === 1 && list[0] === recipient) {
      throw new TallenneError(
        'recipient_last',
        'This is the only recipient, and recordings must be encrypted to somebody: add another first (tallenne keys add).',
      )
    }
    return change(config, terminal, {
      details: { change: 'retired', recipient },
      make: () => retireFromRecipients(path, recipient, `retired ${today()}`),
      done: `${path}: recordings are encrypted to it no more. Keep its identity until tallenne keys reencrypt has run.`,
      undone: `${path} does not have it.`,
    })
  },
}

interface KeyChange {
  readonly details: { readonly change: string; readonly recipient: string }
  readonly make: () => Promise<boolean>
  readonly done: string
  readonly undone: string
}

/** The audit trail has it before it is done. */
async function change(config: Config, terminal: Terminal, wanted: KeyChange): Promise<number> {
  return withPool(config, async (pool) => {
    await commandLineTrail(config, pool).record(
      auditEvent({
        atMs: Date.now(),
        actor: operatorOf(terminal),
        action: 'keys_changed',
        details: wanted.details,
      }),
    )
    const isDone = await wanted.make()
    terminal.print(isDone ? wanted.done : wanted.undone)
    return isDone ? 0 : 1
  })
}

function recipientsFileOf({ encryption }: Config): string {
  if (encryption.recipientsFile !== undefined) return encryption.recipientsFile
  throw new TallenneError(
    'recipients_unfiled',
    'encryption.recipientsFile is not set: set it to a file of recipients, or change encryption.recipients in the configuration by hand and start the gateways again.',
  )
}

function noRecipient(text: string): TallenneError {
  return new TallenneError(
    'recipient_malformed',
    text.startsWith('AGE-SECRET-KEY-')
      ? 'This is an identity, which opens recordings and belongs into no command line: give its recipient (age1…), and make a new identity.'
      : `${text} is no X25519 recipient of age (age1 and 58 characters more): copy it whole.`,
  )
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}
