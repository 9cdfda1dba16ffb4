import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { dataPaths } from '../../config/data-paths.ts'
import { endOggPage } from '../../recorder/ogg-page.ts'
import { auditEvent } from '../../storage/audit/audit-event.ts'
import { DirectDisk } from '../../storage/disk/direct-disk.ts'
import { endedPages } from '../../storage/encryption/ended-pages.ts'
import { readIdentities } from '../../storage/encryption/identities.ts'
import { openAudio, wholeOf } from '../../storage/encryption/opened-audio.ts'
import { readRecipients } from '../../storage/encryption/recipients.ts'
import {
  type ReencryptionProgress,
  runReencryption,
} from '../../storage/encryption/reencryption-run.ts'
import { RecordingStore } from '../../storage/recording-store.ts'
import { readFileName } from '../../storage/store-file.ts'
import { countStoredFiles } from '../../storage/stored-files.ts'
import { FILE_FILTER_HELP, FILE_FILTER_OPTIONS, fileFilterOf } from '../api/file-filter.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { identitiesOf } from '../keys/key-survey.ts'
import { commandLineTrail, operatorOf } from '../operator-audit.ts'
import { hasFlag, textOption, type Verb } from '../verb.ts'
import { withPool } from '../with-pool.ts'
import { writeWhole } from '../write-whole.ts'

/** Encrypts what is not encrypted to the present recipients. */
export const keysReencryptVerb: Verb = {
  name: 'keys reencrypt',
  help: `Usage: tallenne keys reencrypt [filters] [--dry-run] [--json]

Encrypts every recording anew that is not encrypted to the present recipients: those in the clear,
those for former recipients, and what crashes left sealed. It needs the identities that open them
(encryption.identityFile), and works on the store of this machine while calls go on.

It may be ended at any moment and started again: a recording always has one whole file, and what is
done stays done. A recording that cannot be opened stands as it is and is named. The exit code is 0
where nothing is left to do.

${FILE_FILTER_HELP}
  --dry-run                count what would be done
  --json                   the counts as JSON
${CONFIG_HELP}`,
  options: {
    ...FILE_FILTER_OPTIONS,
    ...CONFIG_OPTIONS,
    json: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  },
  words: ['[ID …]'],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const filter = fileFilterOf(given, config)
    const isJson = hasFlag(given, 'json')
    const recipients = readRecipients(config.encryption)
    const { spool, store: storePath } = dataPaths(config)
    return withPool(config, async (pool) => {
      if (hasFlag(given, 'dry-run')) {
        const total = await countStoredFiles(pool, { ...filter, unlessKeySet: recipients.keySet })
        terminal.print(
          isJson ? JSON.stringify({ total }) : `Recordings that would be encrypted: ${total}.`,
        )
        return 0
      }
      const identities = await identitiesOf(config.encryption)
      const opened = (await identities?.recipients()) ?? []
      if (!opened.some((recipient) => recipients.list.includes(recipient))) {
        terminal.warn(
          'No identity here opens what is encrypted to the present recipients: be sure that the portal has one, and that it is kept elsewhere too.',
        )
      }
      const store = new RecordingStore({ spoolPath: spool, storePath })
      await store.check()
      await commandLineTrail(config, pool).record(
        auditEvent({
          atMs: Date.now(),
          actor: operatorOf(terminal),
          action: 'keys_changed',
          details: { change: 'reencrypted', keySet: recipients.keySet },
        }),
      )
      const isShown = terminal.isInteractive && !isJson
      const outcome = await runReencryption({
        pool,
        store,
        disk: new DirectDisk(),
        recipients,
        identities,
        endPage: endOggPage,
        filter,
        signal: terminal.stopSignal(),
        onProgress: (progress) => {
          if (isShown) terminal.rewrite(`${doneOf(progress)} of ${progress.total}`)
        },
      })
      if (isShown) terminal.rewrite('')
      if (outcome.kind === 'busy') {
        throw new TallenneError(
          'reencrypt_busy',
          'Another tallenne keys reencrypt is running: wait for it.',
        )
      }
      const { result } = outcome
      if (isJson) terminal.print(JSON.stringify(result))
      else for (const line of describeRun(result)) terminal.print(line)
      return result.failed.length > 0 || doneOf(result) < result.total ? 1 : 0
    })
  },
}

/** Opens a recording's file without the database. */
export const keysOpenVerb: Verb = {
  name: 'keys open',
  help: `Usage: tallenne keys open FILE -o FILE [--identity FILE]

Opens the file of a recording by hand, without database and portal: an age file, which
"age --decrypt -i IDENTITY FILE" opens as well, or what a crash left sealed in a spool or a store.
Nothing is left where the file cannot be opened whole.

  -o, --output FILE     the Ogg Opus file to write
  -i, --identity FILE   the identities (else encryption.identityFile)
${CONFIG_HELP}`,
  options: {
    ...CONFIG_OPTIONS,
    output: { type: 'string', short: 'o' },
    identity: { type: 'string', short: 'i' },
  },
  words: ['FILE'],
  run: async (given, terminal) => {
    const [file = ''] = given.words
    const output = textOption(given, 'output')
    if (output === undefined) {
      throw new TallenneError('missing_option', 'keys open needs -o FILE: where to write it.')
    }
    const identity = textOption(given, 'identity')
    const identities = await (identity === undefined
      ? identitiesOf(findConfig(given, terminal).encryption)
      : readIdentities(identity))
    const audio = await openAudio(await openFile(file), identities, readFileName(basename(file)))
    try {
      const pieces = wholeOf(audio)
      await writeWhole(output, audio.form === 'sealed' ? endedPages(pieces, endOggPage) : pieces)
    } finally {
      await audio.close()
    }
    terminal.print(`${output}: ${audio.bytes} bytes`)
    return 0
  },
}

async function openFile(path: string) {
  return open(path, 'r').catch((error: unknown) => {
    throw new TallenneError(
      'file_unreadable',
      `${path} cannot be read (${messageOf(error)}): give the path of a recording's file.`,
      { cause: error },
    )
  })
}

function doneOf({ reencrypted, gone, failed }: ReencryptionProgress): number {
  return reencrypted + gone + failed.length
}

function describeRun(result: ReencryptionProgress): readonly string[] {
  const { total, reencrypted, gone, failed } = result
  if (total === 0) return ['Every recording is encrypted to the present recipients.']
  const left = total - doneOf(result)
  return [
    `Recordings encrypted anew: ${reencrypted} of ${total}.`,
    ...(gone > 0 ? [`Deleted meanwhile: ${gone}.`] : []),
    ...(left > 0 ? [`Left: ${left}. Run it again.`] : []),
    ...failed.map(({ recordingId, code, message }) => `${recordingId}: ${code}: ${message}`),
  ]
}
