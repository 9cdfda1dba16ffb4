import { join } from 'node:path'
import { TallenneError } from '../../base/tallenne-error.ts'
import { surveyJournal, waitingLines } from '../../storage/journal-survey.ts'
import { SetAsideFolder, setAsidePath } from '../../storage/set-aside.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { askDatabase, askGateway } from '../journal/ask-neighbours.ts'
import { describeJournal, isJournalWell } from '../journal/describe-journal.ts'
import { journalFolder } from '../journal/journal-folder.ts'
import {
  formatEntries,
  type ListedEntry,
  listSetAside,
  listWaiting,
} from '../journal/list-entries.ts'
import { formatInstant } from '../local-time.ts'
import { type Given, hasFlag, textOption, type Verb } from '../verb.ts'

const JSON_OPTION = { json: { type: 'boolean' } } as const
const USUAL_LIMIT = 50

/** Says how the journal stands. */
export const journalStatusVerb: Verb = {
  name: 'journal status',
  help: `Usage: tallenne journal status [--json]

Says what the node's journal holds that the database does not have yet, how old it is, what was set
aside, and whether the gateway and the database are there. Changes nothing.

The exit code is 1 where somebody has to look: entries are set aside, damaged or lost, stand in
memory alone, or have waited for more than a minute.

  --json          the same for programs
${CONFIG_HELP}`,
  options: { ...CONFIG_OPTIONS, ...JSON_OPTION },
  words: [],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const folder = journalFolder(config)
    const [survey, gateway, database] = await Promise.all([
      surveyJournal(folder),
      askGateway(config),
      askDatabase(config),
    ])
    const findings = { node: config.node.id, folder, survey, gateway, database, nowMs: Date.now() }
    const isWell = isJournalWell(findings)
    if (hasFlag(given, 'json')) {
      const { ownerPid, oldestAtMs, ...counts } = survey
      terminal.print(
        JSON.stringify({
          node: config.node.id,
          folder,
          isWell,
          ...counts,
          oldestAt: oldestAtMs === undefined ? null : new Date(oldestAtMs).toISOString(),
          process: ownerPid ?? null,
          gateway: gateway ?? null,
          database,
        }),
      )
    } else {
      for (const line of describeJournal(findings, config.catchAll.timeZone)) terminal.print(line)
    }
    return isWell ? 0 : 1
  },
}

/** Shows entries. */
export const journalInspectVerb: Verb = {
  name: 'journal inspect',
  help: `Usage: tallenne journal inspect [--set-aside] [--contact ID] [--limit N] [--json]
       tallenne journal inspect ID [--json]

Lists the entries that wait for the database, in their order, or those that were set aside, or
shows one of the latter with what is wrong with it and where its file is. Callers' numbers are
masked, and metadata and notes are left out.

  --set-aside     those that were set aside
  --contact ID    only those of one contact
  --limit N       at most so many (${USUAL_LIMIT})
  --numbers       show numbers, metadata and notes as they are
  --json          one entry a line, for programs
${CONFIG_HELP}`,
  options: {
    ...CONFIG_OPTIONS,
    ...JSON_OPTION,
    'set-aside': { type: 'boolean' },
    contact: { type: 'string' },
    limit: { type: 'string' },
    numbers: { type: 'boolean' },
  },
  words: ['[ID]'],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const folder = journalFolder(config)
    const { timeZone } = config.catchAll
    const { print } = terminal
    const [id] = given.words
    const options = {
      contactId: textOption(given, 'contact'),
      showsNumbers: hasFlag(given, 'numbers'),
    }
    if (id !== undefined) {
      const shown = listSetAside(new SetAsideFolder(folder).read(id), {
        ...options,
        contactId: undefined,
      })
      if (shown !== undefined) {
        if (hasFlag(given, 'json')) print(JSON.stringify(shown))
        else for (const line of describeOne(shown, { folder, timeZone })) print(line)
      }
      return 0
    }
    const limit = readLimit(given)
    const entries: ListedEntry[] = []
    let others = 0
    const take = (entry: ListedEntry | undefined) => {
      if (entry === undefined) return
      if (entries.length < limit) entries.push(entry)
      else others++
    }
    if (hasFlag(given, 'set-aside')) {
      for (const aside of new SetAsideFolder(folder).list()) take(listSetAside(aside, options))
    } else {
      for await (const line of waitingLines(folder)) take(listWaiting(line, options))
    }
    if (hasFlag(given, 'json')) {
      for (const entry of entries) print(JSON.stringify(entry))
      return 0
    }
    if (entries.length === 0) {
      print(hasFlag(given, 'set-aside') ? 'Nothing is set aside.' : 'Nothing waits.')
      return 0
    }
    for (const line of formatEntries(entries, timeZone)) print(line)
    if (others > 0) print(`${others} more: --limit ${entries.length + others} shows all.`)
    return 0
  },
}

function readLimit(given: Given): number {
  const text = textOption(given, 'limit')
  if (text === undefined) return USUAL_LIMIT
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new TallenneError('option_value', `--limit is ${text}, but it takes a number from 1 on.`)
}

function describeOne(
  { id = '', appendedAt, segment, sequence, reason, entry }: ListedEntry,
  { folder, timeZone }: { readonly folder: string; readonly timeZone: string },
): string[] {
  const when =
    appendedAt === null ? 'at a time that cannot be told' : formatInstant(appendedAt, timeZone)
  return [
    `${id}, appended ${when}${sequence === null ? '' : ` as number ${sequence}`} of segment ${segment}`,
    `Set aside: ${reason}`,
    '',
    entry === null ? 'Its line is damaged and tells no entry.' : JSON.stringify(entry, null, 2),
    '',
    `Its file is ${join(setAsidePath(folder), `${id}.json`)}.`,
    `Once the cause is mended: tallenne journal replay --set-aside ${id}`,
    `Where nobody will mend it: tallenne journal drop ${id} --reason TEXT`,
  ]
}
