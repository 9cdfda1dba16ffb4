import pino from 'pino'
import { SystemClock } from '../../base/clock.ts'
import { LANGUAGES } from '../../base/languages.ts'
import type { Log } from '../../base/log.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import { isId } from '../../base/uuid.ts'
import type { Config } from '../../config/config.ts'
import { dataPaths } from '../../config/data-paths.ts'
import { explainRecording } from '../../retention/explain.ts'
import { countSweep, type SweepReport, sweepOnce } from '../../retention/sweep.ts'
import { RecordingStore } from '../../storage/recording-store.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { commandLineTrail, operatorOf } from '../operator-audit.ts'
import { formatTable } from '../table.ts'
import { hasFlag, textOption, type Verb } from '../verb.ts'
import { withPool } from '../with-pool.ts'

/** Says why a recording is still here, and when it goes. */
export const retentionExplainVerb: Verb = {
  name: 'retention explain',
  help: `Usage: tallenne retention explain ID [--lang en|fi|sv] [--json]

Says why a recording is still here and when it goes, or when and why it went.

  --lang NAME     en (the usual one), fi or sv
  --json          everything that was weighed
${CONFIG_HELP}`,
  options: { ...CONFIG_OPTIONS, json: { type: 'boolean' }, lang: { type: 'string' } },
  words: ['ID'],
  run: async (given, terminal) => {
    const [id = ''] = given.words
    const wanted = textOption(given, 'lang') ?? 'en'
    const language = LANGUAGES.find((name) => name === wanted)
    if (!language) {
      throw new TallenneError('option_value', `--lang is ${wanted}, but it takes en, fi or sv.`)
    }
    if (!isId(id)) {
      throw new TallenneError(
        'bad_id',
        `${id} is no recording's id: tallenne recordings lists them.`,
      )
    }
    const explanation = await withPool(findConfig(given, terminal), (pool) =>
      explainRecording(pool, id, Date.now()),
    )
    if (!explanation) {
      throw new TallenneError('recording_unknown', `There is no recording ${id}.`)
    }
    const isJson = hasFlag(given, 'json')
    terminal.print(isJson ? JSON.stringify(explanation) : explanation.text[language])
    return 0
  },
}

/** Deletes what is due now, or counts it. */
export const retentionSweepVerb: Verb = {
  name: 'retention sweep',
  help: `Usage: tallenne retention sweep [--dry-run] [--json]

Deletes every recording that is due now, as the retention daemon does by itself. Contact rows stay.
The exit code is 1 where a file could not be erased.

  --dry-run       count by service line what would go, and delete nothing
  --json          the counts as JSON
${CONFIG_HELP}`,
  options: { ...CONFIG_OPTIONS, json: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  words: [],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const { print } = terminal
    const isJson = hasFlag(given, 'json')
    const clock = new SystemClock()
    return withPool(config, async (pool) => {
      if (hasFlag(given, 'dry-run')) {
        const counts = await countSweep({ pool, clock })
        if (isJson) print(JSON.stringify({ lines: counts }))
        else for (const line of describeCounts(counts)) print(line)
        return 0
      }
      const { spool, store: storePath } = dataPaths(config)
      const store = new RecordingStore({ spoolPath: spool, storePath })
      const outcome = await sweepOnce({
        pool,
        store,
        trail: commandLineTrail(config, pool),
        actor: operatorOf(terminal),
        clock,
        log: errorLog(config),
      })
      if (outcome.kind === 'busy') {
        throw new TallenneError(
          'sweep_busy',
          'Another program is sweeping now: wait for it, or look at its log.',
        )
      }
      const { result } = outcome
      if (isJson) print(JSON.stringify({ ...result, lines: Object.fromEntries(result.lines) }))
      else for (const line of describeSweep(result)) print(line)
      return [...result.lines.values()].some(({ failed }) => failed > 0) ? 1 : 0
    })
  },
}

/** What goes wrong with single files is told on standard error, beside the counts on standard output. */
function errorLog(config: Config): Log {
  const level = config.log.level === 'debug' ? 'debug' : 'error'
  return pino({ level, base: { process: 'cli' } }, pino.destination(2))
}

function describeCounts(counts: Awaited<ReturnType<typeof countSweep>>): string[] {
  if (counts.length === 0) return ['No service lines.']
  const rows = counts.map(({ serviceLine, due, held }) => [serviceLine, String(due), String(held)])
  return formatTable(['LINE', 'DUE', 'HELD'], rows)
}

function describeSweep({ lines, resumed, tookMs }: SweepReport): string[] {
  if (lines.size === 0) return ['Nothing was due.']
  const rows = [...lines].map(([line, { deleted, failed, alreadyGone, held }]) => [
    line,
    ...[deleted, failed, alreadyGone, held].map(String),
  ])
  return [
    ...formatTable(['LINE', 'DELETED', 'FAILED', 'NO FILE', 'HELD'], rows),
    `${resumed} of them begun by an earlier sweep; it took ${Math.round(tookMs)} ms.`,
  ]
}
