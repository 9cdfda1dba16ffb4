import { TallenneError } from '../../base/tallenne-error.ts'
import { isId } from '../../base/uuid.ts'
import { auditEvent } from '../../storage/audit/audit-event.ts'
import { entryOf, type SetAsideEntry, SetAsideFolder } from '../../storage/set-aside.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { countEntries } from '../journal/count-entries.ts'
import { journalFolder } from '../journal/journal-folder.ts'
import { commandLineTrail, operatorOf } from '../operator-audit.ts'
import { hasFlag, textOption, type Verb } from '../verb.ts'
import { withPool } from '../with-pool.ts'

/** Throws away what was set aside and nobody can mend. */
export const journalDropVerb: Verb = {
  name: 'journal drop',
  help: `Usage: tallenne journal drop ID… --reason TEXT [--json]

Throws away entries that were set aside and that nobody will mend: what they say never reaches the
database. "tallenne journal inspect --set-aside" lists their ids. It may be done beside a running
gateway. The audit trail, which must be writable, keeps who dropped which entry of which contact,
and the reason, which names no caller.

  --reason TEXT   why they are not wanted
  --json          what was dropped as JSON
${CONFIG_HELP}`,
  options: { ...CONFIG_OPTIONS, reason: { type: 'string' }, json: { type: 'boolean' } },
  words: ['ID…'],
  run: async (given, terminal) => {
    const reason = textOption(given, 'reason')
    if (reason === undefined) {
      throw new TallenneError(
        'missing_option',
        'journal drop needs --reason TEXT: the audit trail keeps why.',
      )
    }
    const config = findConfig(given, terminal)
    const folder = new SetAsideFolder(journalFolder(config))
    const entries = folder.pick(given.words)
    await withPool(config, async (pool) => {
      const trail = commandLineTrail(config, pool)
      for (const aside of entries) {
        await trail.record(
          auditEvent({
            atMs: Date.now(),
            actor: operatorOf(terminal),
            action: 'journal_entry_dropped',
            details: { setAsideId: aside.id, entry: entryOf(aside)?.kind ?? null, reason },
            ...idsIn(aside),
          }),
        )
        folder.remove(aside.id)
      }
    })
    const { print } = terminal
    if (hasFlag(given, 'json')) print(JSON.stringify({ dropped: entries.map(({ id }) => id) }))
    else print(`${countEntries(entries.length)} dropped.`)
    return 0
  },
}

/** Somebody may have written anything into the entry's file. */
function idsIn(aside: SetAsideEntry) {
  const entry = entryOf(aside)
  const idOf = (name: string) => {
    const id: unknown = entry === null ? undefined : Reflect.get(entry, name)
    return typeof id === 'string' && isId(id) ? id : null
  }
  return { contactId: idOf('contactId'), recordingId: idOf('recordingId') }
}
