import type { z } from 'zod'
import type { Config } from '../../config/config.ts'
import {
  callPageSchema,
  completenessSchema,
  missingPageSchema,
} from '../../portal/completeness/completeness-schemas.ts'
import { PortalClient } from '../api/portal-client.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { formatInstant } from '../local-time.ts'
import { readTime } from '../read-time.ts'
import { formatTable } from '../table.ts'
import { type Given, hasFlag, type Terminal, textOption, type Verb } from '../verb.ts'

const PERIOD_OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  'service-line': { type: 'string' },
} as const

const PERIOD_HELP = `  --from TIME          calls that began then or later: 2026-01-31T08:00:00Z, or the date alone
                       (else a day before the end)
  --to TIME            calls that began before (else now)
  --service-line NAME  calls of this service line`

const PAGE_OPTIONS = {
  ...PERIOD_OPTIONS,
  ...CONFIG_OPTIONS,
  limit: { type: 'string' },
  cursor: { type: 'string' },
  json: { type: 'boolean' },
} as const

const PAGE_HELP = `${PERIOD_HELP}
  --limit N            most calls of a page (else 50)
  --cursor TEXT        the page after, as the page before has told
  --json               as the API gives it
${CONFIG_HELP}`

/** Tells what became of the calls of a period; the exit code is 0 where all is accounted for. */
export const completenessVerb: Verb = {
  name: 'completeness',
  help: `Usage: tallenne completeness [--from TIME] [--to TIME] [--json]
       tallenne completeness calls --outcome NAME    one by one
       tallenne completeness missing                 what the platform lists and never came
       tallenne completeness import FILE.csv         takes the platform's own list
       tallenne completeness imports                 which lists were taken
       tallenne completeness withdraw ID             takes one back

Tells how many calls came in a period, and how many of them are complete, partial, silent or
failed, and why. The exit code is 0 where every call has its verdict, none that the platform lists
is missing and calls, rows and files agree; else 1.

${PERIOD_HELP}
  --json               as the API gives it
${CONFIG_HELP}`,
  options: { ...PERIOD_OPTIONS, ...CONFIG_OPTIONS, json: { type: 'boolean' } },
  words: [],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const client = await PortalClient.open(config)
    const answer = await client.read(pathOf('', given, config), completenessSchema)
    const { print } = terminal
    if (hasFlag(given, 'json')) {
      print(JSON.stringify(answer))
      return answer.isAccountedFor ? 0 : 1
    }
    const { timeZone } = config.catchAll
    const { from, to, calls, outcomes, reasons, serviceLines, platform, discrepancies } = answer
    print(
      `${formatInstant(from, timeZone)} to ${formatInstant(to, timeZone)}: ${calls} ${calls === 1 ? 'call' : 'calls'}`,
    )
    for (const [outcome, count] of Object.entries(outcomes)) {
      if (count === 0) continue
      const why = reasons
        .filter((one) => one.outcome === outcome)
        .map((one) => `${one.reason} ${one.calls}`)
      print(`  ${outcome.padEnd(12)}${String(count).padStart(8)}  ${why.join(', ')}`.trimEnd())
    }
    if (serviceLines.length > 1) {
      print('')
      const rows = serviceLines.map((line) => {
        const { complete, partial, silent, failed, overdue } = line.outcomes
        const counts = [line.calls, complete, partial, silent, failed, overdue]
        return [line.serviceLine, ...counts.map(String)]
      })
      const headings = ['line', 'calls', 'complete', 'partial', 'silent', 'failed', 'overdue']
      for (const line of formatTable(headings, rows)) print(line)
    }
    print('')
    print(
      platform.calls === 0
        ? 'The platform’s list of these calls has not been imported.'
        : `Calls that the platform lists: ${platform.calls}. Came here: ${platform.matched}; missing: ${platform.missing}; not answered: ${platform.notSent}.`,
    )
    for (const [kind, count] of Object.entries(discrepancies)) {
      if (count > 0) print(`Does not agree: ${kind} ${count}`)
    }
    print(
      answer.isAccountedFor ? 'Everything is accounted for.' : 'NOT everything is accounted for.',
    )
    return answer.isAccountedFor ? 0 : 1
  },
}

/** Lists the calls of a period with what became of each. */
export const completenessCallsVerb: Verb = {
  name: 'completeness calls',
  help: `Usage: tallenne completeness calls [--outcome NAME] [--reason NAME] [--json]

Lists the calls of a period, newest first, with what became of each.

  --outcome NAME       complete, partial, silent, failed, refused, unanswered, exempt, open or
                       overdue
  --reason NAME        as media_lost or leg_silent
${PAGE_HELP}`,
  options: { ...PAGE_OPTIONS, outcome: { type: 'string' }, reason: { type: 'string' } },
  words: [],
  run: async (given, terminal) => {
    const { page, timeZone } = await readPage(given, terminal, {
      path: '/calls',
      schema: callPageSchema,
    })
    if (page === undefined) return 0
    const rows = page.items.map(({ startedAt, serviceLine, outcome, reasons, contactId }) => [
      formatInstant(startedAt, timeZone),
      serviceLine,
      outcome,
      reasons.join(' '),
      contactId,
    ])
    show(terminal, formatTable(['started', 'line', 'outcome', 'reasons', 'contact'], rows), page)
    return 0
  },
}

/** Lists calls that the platform knows and that never came. */
export const completenessMissingVerb: Verb = {
  name: 'completeness missing',
  help: `Usage: tallenne completeness missing [--json]

Lists the calls of the platform's own list that never came here, newest first.

${PAGE_HELP}`,
  options: PAGE_OPTIONS,
  words: [],
  run: async (given, terminal) => {
    const asked = { path: '/missing', schema: missingPageSchema }
    const { page, timeZone } = await readPage(given, terminal, asked)
    if (page === undefined) return 0
    const rows = page.items.map((call) => [
      formatInstant(call.startedAt, timeZone),
      call.caller ?? '',
      call.serviceNumber ?? '',
      call.serviceLine,
      call.platformReference ?? call.callId ?? '',
      call.importIds.join(' '),
    ])
    const headings = ['started', 'caller', 'number', 'line', 'reference', 'import']
    show(terminal, formatTable(headings, rows), page)
    return 0
  },
}

/** The page, or undefined once it was printed as JSON. */
async function readPage<Page>(
  given: Given,
  terminal: Terminal,
  { path, schema }: { readonly path: string; readonly schema: z.ZodType<Page> },
) {
  const config = findConfig(given, terminal)
  const client = await PortalClient.open(config)
  const page = await client.read(pathOf(path, given, config), schema)
  const { timeZone } = config.catchAll
  if (!hasFlag(given, 'json')) return { page, timeZone }
  terminal.print(JSON.stringify(page))
  return { page: undefined, timeZone }
}

/** Prints a page, or that it is empty. */
export function show(
  { print }: Terminal,
  lines: readonly string[],
  page: {
    readonly items: readonly unknown[]
    readonly nextCursor: string | null
    readonly none?: string
  },
): void {
  const { items, nextCursor, none = 'No calls.' } = page
  if (items.length === 0) print(none)
  else for (const line of lines) print(line)
  if (nextCursor !== null) print(`More: --cursor ${nextCursor}`)
}

/** The path of what is asked for, with what was given. Throws `option_value`. */
export function pathOf(path: string, given: Given, { catchAll }: Pick<Config, 'catchAll'>): string {
  const query = new URLSearchParams()
  for (const name of ['from', 'to'] as const) {
    const text = textOption(given, name)
    if (text !== undefined) query.set(name, readTime(text, `--${name}`, catchAll))
  }
  for (const [name, parameter] of [
    ['service-line', 'serviceLine'],
    ['outcome', 'outcome'],
    ['reason', 'reason'],
    ['limit', 'limit'],
    ['cursor', 'cursor'],
  ] as const) {
    const text = textOption(given, name)
    if (text !== undefined) query.set(parameter, text)
  }
  const text = query.toString()
  return `/api/completeness${path}${text === '' ? '' : `?${text}`}`
}
