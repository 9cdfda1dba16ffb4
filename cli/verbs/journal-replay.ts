import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { journalOwner } from '../../storage/journal-lock.ts'
import { surveyJournal } from '../../storage/journal-survey.ts'
import { SetAsideFolder } from '../../storage/set-aside.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { carryJournal } from '../journal/carry-journal.ts'
import { countEntries } from '../journal/count-entries.ts'
import { journalFolder, requireOwner } from '../journal/journal-folder.ts'
import { replaySetAside } from '../journal/replay-set-aside.ts'
import { type Given, hasFlag, type Terminal, type Verb } from '../verb.ts'

/** Carries a journal without its gateway, or what was set aside once more. */
export const journalReplayVerb: Verb = {
  name: 'journal replay',
  help: `Usage: tallenne journal replay [--dry-run] [--json]
       tallenne journal replay --set-aside [ID…] [--dry-run] [--json]

Carries what waits in the journal to the database, for a gateway that does not run and will not
soon; a running gateway does it by itself. With --set-aside it tries the entries that were set
aside once more, all of them or those named, beside a running gateway too, and removes those that
the database takes. Entries that the database has already change nothing in it.

The exit code is 1 where entries are left.

  --set-aside     what was set aside, in the order in which it was appended
  --dry-run       count, and change nothing
  --json          the counts as JSON
${CONFIG_HELP}`,
  options: {
    ...CONFIG_OPTIONS,
    json: { type: 'boolean' },
    'set-aside': { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  },
  words: ['[ID…]'],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const folder = journalFolder(config)
    if (hasFlag(given, 'set-aside')) return replayAside(given, terminal, { config, folder })
    if (given.words.length > 0) {
      throw new TallenneError(
        'unexpected_word',
        `journal replay takes an ID with --set-aside alone: tallenne journal replay --set-aside ${given.words.join(' ')}`,
      )
    }
    return replayWaiting(given, terminal, { config, folder })
  },
}

interface Place {
  readonly config: Config
  readonly folder: string
}

async function replayWaiting(
  given: Given,
  terminal: Terminal,
  { config, folder }: Place,
): Promise<number> {
  const { waiting } = await surveyJournal(folder)
  const isJson = hasFlag(given, 'json')
  if (hasFlag(given, 'dry-run')) {
    terminal.print(
      isJson ? JSON.stringify({ waiting }) : `${countEntries(waiting)} would be carried.`,
    )
    return 0
  }
  const owner = journalOwner(folder)
  if (owner !== undefined) {
    throw new TallenneError(
      'journal_in_use',
      `The gateway (process ${owner.pid}) has this journal and carries it by itself: tallenne journal status says how far it is.`,
    )
  }
  requireOwner(folder)
  let told: string | undefined
  const state = await carryJournal(config, {
    folder,
    signal: terminal.stopSignal(),
    onProgress: ({ depth, fault }) => {
      if (fault !== undefined && fault.reason !== told) {
        terminal.warn(`The database takes nothing now (${fault.reason}); waiting.`)
      }
      told = fault?.reason
      if (terminal.isInteractive && !isJson) terminal.rewrite(`${depth} of ${waiting} left`)
    },
  })
  if (terminal.isInteractive && !isJson) terminal.rewrite('')
  const { depth, rejected, fault } = state
  const applied = Math.max(0, waiting - depth - rejected)
  if (isJson) {
    terminal.print(JSON.stringify({ applied, setAside: rejected, left: depth }))
  } else {
    terminal.print(`${countEntries(applied)} carried to the database.`)
    if (rejected > 0) {
      terminal.print(
        `${countEntries(rejected)} set aside: tallenne journal inspect --set-aside says which, and why.`,
      )
    }
    if (depth > 0) {
      const why = fault === undefined ? '' : ` (${fault.reason})`
      terminal.print(`${countEntries(depth)} left${why}: nothing is lost, start this again.`)
    }
  }
  return depth > 0 || rejected > 0 ? 1 : 0
}

async function replayAside(
  given: Given,
  { print }: Terminal,
  { config, folder }: Place,
): Promise<number> {
  const setAside = new SetAsideFolder(folder)
  const entries = given.words.length === 0 ? setAside.list() : setAside.pick(given.words)
  const isJson = hasFlag(given, 'json')
  if (hasFlag(given, 'dry-run')) {
    const ids = entries.map(({ id }) => id)
    print(
      isJson
        ? JSON.stringify({ ids })
        : `${countEntries(entries.length)} would be tried once more.`,
    )
    return 0
  }
  const replayed = await replaySetAside(config, { folder: setAside, entries })
  const left = replayed.filter(({ problem }) => problem !== null)
  if (isJson) {
    print(
      JSON.stringify({
        items: replayed,
        applied: replayed.length - left.length,
        left: left.length,
      }),
    )
  } else {
    for (const { id, kind, problem } of left) {
      print(`${id} ${kind ?? '(damaged line)'}: ${problem}`)
    }
    print(`${countEntries(replayed.length - left.length)} applied, ${left.length} left.`)
  }
  return left.length > 0 ? 1 : 0
}
