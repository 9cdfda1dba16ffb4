import { statSync } from 'node:fs'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { dataPaths } from '../../config/data-paths.ts'

/** Where the journal of this configuration is. Throws `no_journal` where there is none, or it may not be read. */
export function journalFolder(config: Config): string {
  const { journal } = dataPaths(config)
  try {
    if (statSync(journal).isDirectory()) return journal
  } catch {
    // Said below.
  }
  throw new TallenneError(
    'no_journal',
    `There is no journal in ${journal}, or this user may not see it: no gateway has run with this configuration here. Give the gateway's own with --config, or its data folder with --data.`,
  )
}

/** What this user writes into another's journal, the gateway could not read. Throws `not_owner`. */
export function requireOwner(folder: string): void {
  const { uid } = statSync(folder)
  if (process.getuid?.() === uid) return
  throw new TallenneError(
    'not_owner',
    `The journal in ${folder} belongs to the user with number ${uid}: run this as that user, for example with sudo -u '#${uid}'.`,
  )
}
