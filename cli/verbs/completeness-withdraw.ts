import { TallenneError } from '../../base/tallenne-error.ts'
import { isId } from '../../base/uuid.ts'
import { importPageSchema, withdrawalSchema } from '../../portal/completeness/import-schemas.ts'
import { PortalClient } from '../api/portal-client.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { formatInstant } from '../local-time.ts'
import { formatTable } from '../table.ts'
import { hasFlag, type Verb } from '../verb.ts'
import { pathOf, show } from './completeness.ts'

/** Lists the imports of the platform's lists. */
export const completenessImportsVerb: Verb = {
  name: 'completeness imports',
  help: `Usage: tallenne completeness imports [--json]

Lists the imports of the platform's lists, newest first: when and by whom, how many calls each has,
how many of them came here and how many are missing, and from when to when they are.

  --limit N            most imports of a page (else 50)
  --cursor TEXT        the page after, as the page before has told
  --json               as the API gives it
${CONFIG_HELP}`,
  options: {
    ...CONFIG_OPTIONS,
    limit: { type: 'string' },
    cursor: { type: 'string' },
    json: { type: 'boolean' },
  },
  words: [],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const client = await PortalClient.open(config)
    const page = await client.read(pathOf('/imports', given, config), importPageSchema)
    if (hasFlag(given, 'json')) {
      terminal.print(JSON.stringify(page))
      return 0
    }
    const at = (instant: string | null) =>
      instant === null ? '' : formatInstant(instant, config.catchAll.timeZone)
    const rows = page.items.map((one) => [
      at(one.importedAt),
      one.list,
      one.importedBy ?? '',
      ...(one.withdrawnAt === null
        ? [String(one.calls), String(one.matched), String(one.missing)]
        : ['withdrawn', '', '']),
      at(one.firstAt),
      at(one.lastAt),
      one.id,
    ])
    const headings = ['imported', 'list', 'by', 'calls', 'came', 'missing', 'first', 'last', 'id']
    show(terminal, formatTable(headings, rows), { ...page, none: 'No imports.' })
    return 0
  },
}

/** Takes an import back. */
export const completenessWithdrawVerb: Verb = {
  name: 'completeness withdraw',
  help: `Usage: tallenne completeness withdraw ID [--json]

Takes an import of the platform's list back, whole: the calls that it alone brought are forgotten,
and are neither counted nor missing any more; those that another import lists too stay. The id is
what the import printed; tallenne completeness imports lists them all. The list can be taken again.

  --json               as the API gives it
${CONFIG_HELP}`,
  options: { ...CONFIG_OPTIONS, json: { type: 'boolean' } },
  words: ['ID'],
  run: async (given, terminal) => {
    const [id = ''] = given.words
    if (!isId(id)) {
      throw new TallenneError(
        'option_value',
        `${id} is no id of an import: tallenne completeness imports lists them.`,
      )
    }
    const config = findConfig(given, terminal)
    const client = await PortalClient.open(config)
    const withdrawal = await client.remove(`/api/completeness/imports/${id}`, withdrawalSchema)
    if (hasFlag(given, 'json')) {
      terminal.print(JSON.stringify(withdrawal))
      return 0
    }
    const { list, removed, kept, withdrawnAt, withdrawnBy } = withdrawal
    const when = formatInstant(withdrawnAt, config.catchAll.timeZone)
    terminal.print(
      `Import ${id} of the list ${list} is withdrawn (${when}, by ${withdrawnBy}): ${removed} calls forgotten, ${kept} stay that another import lists too.`,
    )
    return 0
  },
}
