import { dataPaths } from '../../config/data-paths.ts'
import { RecordingStore } from '../../storage/recording-store.ts'
import { type VerifiedFiles, verifyFiles } from '../../storage/verify-files.ts'
import { FILE_FILTER_HELP, FILE_FILTER_OPTIONS, fileFilterOf } from '../api/file-filter.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { identitiesOf } from '../keys/key-survey.ts'
import { hasFlag, type Verb } from '../verb.ts'
import { withPool } from '../with-pool.ts'

/** Compares the files of the store with what their rows say of them. */
export const recordingsVerifyVerb: Verb = {
  name: 'recordings verify',
  help: `Usage: tallenne recordings verify [filters] [--audio] [--json]

Reads the files of recordings in the store of this machine and compares each with the length and the
SHA-256 that its row has of it. No key is needed for that. Changes nothing. The exit code is 0 where
every file is whole, 1 where one is not, is missing, or the run was ended.

${FILE_FILTER_HELP}
  --audio                  also decrypts each file (encryption.identityFile), and compares its audio
  --json                   what was found as JSON
${CONFIG_HELP}`,
  options: {
    ...FILE_FILTER_OPTIONS,
    ...CONFIG_OPTIONS,
    audio: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  words: ['[ID …]'],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const filter = fileFilterOf(given, config)
    const isJson = hasFlag(given, 'json')
    const isShown = terminal.isInteractive && !isJson
    const opensAudio = hasFlag(given, 'audio')
    const identities = opensAudio ? await identitiesOf(config.encryption) : undefined
    const { spool, store: storePath } = dataPaths(config)
    const store = new RecordingStore({ spoolPath: spool, storePath })
    await store.check()
    const found = await withPool(config, (pool) =>
      verifyFiles({
        pool,
        store,
        filter,
        opensAudio,
        identities,
        signal: terminal.stopSignal(),
        onProgress: (checked, total) => {
          if (isShown) terminal.rewrite(`${checked} of ${total}`)
        },
      }),
    )
    if (isShown) terminal.rewrite('')
    if (isJson) terminal.print(JSON.stringify(found))
    else for (const line of describe(found)) terminal.print(line)
    return found.faults.length === 0 && found.isComplete ? 0 : 1
  },
}

function describe({ checked, whole, unproven, faults, isComplete }: VerifiedFiles): string[] {
  return [
    ...faults.map(({ recordingId, code, message }) => `${recordingId}: ${code}: ${message}`),
    `Files read: ${checked}; whole: ${whole}; not whole: ${faults.length}.`,
    ...(unproven > 0 ? [`Without a known SHA-256, so that nothing proves them: ${unproven}.`] : []),
    ...(isComplete ? [] : ['The run was ended before the last file.']),
  ]
}
