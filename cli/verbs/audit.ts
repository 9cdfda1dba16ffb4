import { TallenneError } from '../../base/tallenne-error.ts'
import { isId } from '../../base/uuid.ts'
import type { Config } from '../../config/config.ts'
import { dataPaths } from '../../config/data-paths.ts'
import { parseAnchor, readAnchors } from '../../storage/audit/audit-anchors.ts'
import type { StoredRow } from '../../storage/audit/audit-chain.ts'
import { AUDIT_ACTIONS, auditEvent } from '../../storage/audit/audit-event.ts'
import { type AuditFilter, readRows } from '../../storage/audit/audit-rows.ts'
import { isAuditGuarded } from '../../storage/audit/guard-audit.ts'
import { pseudonymOf, readPseudonymKey } from '../../storage/audit/pseudonym.ts'
import { type AuditBreak, verifyAudit } from '../../storage/audit/verify-audit.ts'
import { csvHeading, formatCsv, formatJson } from '../api/audit-formats.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { commandLineTrail, operatorOf } from '../operator-audit.ts'
import { readTime } from '../read-time.ts'
import { type Given, hasFlag, textOption, type Verb } from '../verb.ts'
import { withPool } from '../with-pool.ts'
import { writeWhole } from '../write-whole.ts'

/** Proves that nothing of the audit trail was changed, removed, inserted or cut off. */
export const auditVerifyVerb: Verb = {
  name: 'audit verify',
  help: `Usage: tallenne audit verify [--anchor SEQUENCE:HASH …] [--json]

Reads the whole audit trail, makes the hash of every row anew, and compares it with the anchors that
the processes have kept outside the database, in the data folder's audit/. Names the first row that
is not as it was written. The exit code is 0 where the trail is whole, 1 where it is not.

  --anchor TEXT   an anchor kept elsewhere, as the log has them; may be repeated
  --json          what was found as JSON
${CONFIG_HELP}`,
  options: {
    ...CONFIG_OPTIONS,
    anchor: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  },
  words: [],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const kept = await readAnchors(dataPaths(config).audit)
    const { unreadable } = kept
    const all = [...kept.anchors, ...givenAnchors(given)]
    const anchors = all.sort((a, b) => a.sequence - b.sequence)
    return withPool(config, async (pool) => {
      const isShown = terminal.isInteractive && !hasFlag(given, 'json')
      const verdict = await verifyAudit(pool, anchors, (rows) => {
        if (isShown) terminal.rewrite(`${rows} rows`)
      })
      if (isShown) terminal.rewrite('')
      const isGuarded = await isAuditGuarded(pool)
      const { broken, head, rows, anchorsHeld } = verdict
      if (hasFlag(given, 'json')) {
        const found = { isWhole: broken === undefined, rows, head, anchors: anchors.length }
        const rest = { anchorsHeld, unreadable, isGuarded, broken: broken ?? null }
        terminal.print(JSON.stringify({ ...found, ...rest }))
        return broken ? 1 : 0
      }
      for (const place of unreadable) {
        terminal.warn(`No anchor stands in ${place}: it was changed, or left torn by a crash.`)
      }
      if (broken) {
        terminal.print(`The audit trail is broken: ${describeBreak(broken)}`)
        const which = broken.kind === 'rewritten' ? 'rows' : 'rows before it'
        terminal.print(
          `${rows} ${which} are in order; ${anchorsHeld} of ${anchors.length} anchors agree with them.`,
        )
        return 1
      }
      terminal.print(
        `The audit trail is whole: ${rows} rows, ${anchorsHeld} of ${anchors.length} anchors agree.`,
      )
      if (rows > 0) terminal.print(`Its end, to be kept elsewhere: ${head.sequence}:${head.hash}`)
      if (anchors.length === 0 && rows > 0) {
        terminal.warn('No anchors are here: rows cut off at the end would not be noticed.')
      }
      if (!isGuarded) {
        terminal.warn(
          'The server does not refuse to change rows of the trail: docs/audit.md says how to have it refuse.',
        )
      }
      return 0
    })
  },
}

/** Hands out rows of the trail; that it was done is itself a row. */
export const auditExportVerb: Verb = {
  name: 'audit export',
  help: `Usage: tallenne audit export [filters] [--format jsonl|csv] [-o FILE]

Prints rows of the audit trail, the oldest first, or writes them to a file. That it was done, by
whom and with which filters, is a row of the trail as well.

  --from TIME       of then or later: 2026-01-31T08:00:00Z, or the date alone
  --to TIME         of before then
  --action NAME     as listened, search or retention_deleted
  --actor NAME      of this user, token, operator or process
  --contact ID      about this contact
  --recording ID    about this recording
  --number NUMBER   searches for this number, as +12025550147: the trail holds its pseudonym
  --format NAME     jsonl (the usual one), from which the hashes can be made anew, or csv
  -o, --output FILE a file to write, readable by its owner alone
${CONFIG_HELP}`,
  options: {
    ...CONFIG_OPTIONS,
    from: { type: 'string' },
    to: { type: 'string' },
    action: { type: 'string' },
    actor: { type: 'string' },
    contact: { type: 'string' },
    recording: { type: 'string' },
    number: { type: 'string' },
    format: { type: 'string' },
    output: { type: 'string', short: 'o' },
  },
  words: [],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const format = textOption(given, 'format') ?? 'jsonl'
    if (format !== 'jsonl' && format !== 'csv') {
      throw new TallenneError('option_value', `--format is ${format}, but it takes jsonl or csv.`)
    }
    const filter = await filterOf(given, config)
    return withPool(config, async (pool) => {
      const { fromMs, toMs, mentions, ...named } = filter
      await commandLineTrail(config, pool).record(
        auditEvent({
          atMs: Date.now(),
          actor: operatorOf(terminal),
          action: 'audit_exported',
          recordingId: filter.recordingId ?? null,
          contactId: filter.contactId ?? null,
          details: {
            format,
            from: fromMs === undefined ? null : new Date(fromMs).toISOString(),
            to: toMs === undefined ? null : new Date(toMs).toISOString(),
            action: named.action ?? null,
            actor: named.actor ?? null,
            number: mentions ?? null,
          },
        }),
      )
      const output = textOption(given, 'output')
      let written = 0
      const lines = linesOf(readRows(pool, filter), { format, onRow: () => written++ })
      if (output === undefined) {
        for await (const line of lines) terminal.print(line)
        return 0
      }
      await writeWhole(output, ended(lines))
      terminal.print(`${output}: ${written} rows`)
      return 0
    })
  },
}

async function filterOf(given: Given, config: Config): Promise<AuditFilter> {
  const instant = (name: string) => {
    const text = textOption(given, name)
    return text === undefined ? undefined : Date.parse(readTime(text, `--${name}`, config.catchAll))
  }
  const action = textOption(given, 'action')
  if (action !== undefined && !AUDIT_ACTIONS.some((name) => name === action)) {
    throw new TallenneError(
      'option_value',
      `--action is ${action}, but it takes one of ${AUDIT_ACTIONS.join(', ')}.`,
    )
  }
  const ids = {
    contactId: textOption(given, 'contact'),
    recordingId: textOption(given, 'recording'),
  }
  for (const id of Object.values(ids)) {
    if (id !== undefined && !isId(id)) throw new TallenneError('bad_id', `${id} is no id.`)
  }
  const number = textOption(given, 'number')
  return {
    ...ids,
    fromMs: instant('from'),
    toMs: instant('to'),
    action,
    actor: textOption(given, 'actor'),
    mentions:
      number === undefined
        ? undefined
        : pseudonymOf(number, {
            key: await readPseudonymKey(dataPaths(config).audit),
            region: config.identification.region,
          }),
  }
}

async function* linesOf(
  rows: AsyncIterable<StoredRow>,
  { format, onRow }: { readonly format: 'jsonl' | 'csv'; readonly onRow: () => void },
): AsyncGenerator<string> {
  if (format === 'csv') yield csvHeading()
  for await (const row of rows) {
    onRow()
    yield format === 'csv' ? formatCsv(row) : formatJson(row)
  }
}

async function* ended(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`
}

function givenAnchors(given: Given) {
  const texts = given.options['anchor']
  return (Array.isArray(texts) ? texts : []).map((text: string | boolean) => {
    const anchor = parseAnchor(String(text))
    if (anchor) return { ...anchor, place: `--anchor ${anchor.sequence}` }
    throw new TallenneError(
      'option_value',
      `--anchor is ${text}, but a row's number and its hash are needed, as 1234: and 64 digits from 0 to f.`,
    )
  })
}

function describeBreak(broken: AuditBreak): string {
  const { sequence } = broken
  switch (broken.kind) {
    case 'removed':
      return broken.to === sequence
        ? `row ${sequence} was removed.`
        : `rows ${sequence} to ${broken.to} were removed.`
    case 'changed':
      return `row ${sequence} is not as it was written.`
    case 'replaced':
      return `another row stands in the place of row ${sequence}.`
    case 'rewritten':
      return `row ${sequence} is another one than the anchor knows that was kept in ${broken.anchor}. ${
        broken.laterHeld === 0
          ? 'It, or one before it, was written anew together with all rows after it; or that anchor was changed.'
          : `Anchors of this row and later ones that agree: ${broken.laterHeld}. So either that anchor was changed, or rows were exchanged before those others were taken.`
      }`
    case 'cut_off':
      return broken.to === sequence
        ? `row ${sequence}, the last one, was cut off: the anchor in ${broken.anchor} knows it.`
        : `rows ${sequence} to ${broken.to} were cut off at the end: the anchor in ${broken.anchor} knows row ${broken.to}.`
  }
}
