import { parseArgs } from 'node:util'
import { messageOf } from '../../base/tallenne-error.ts'
import { formatTable } from '../../cli/table.ts'
import { type DrillResult, hasPassed } from './drill.ts'
import { DRILLS } from './drills.ts'
import { runDrill } from './run-drill.ts'

const USAGE = `Usage: npm run drill -- [DRILL…] [--calls N] [--json]

Breaks an installation of its own on purpose, with calls up whose audio says where it belongs, and
prints what was lost. Each drill starts afresh; all of them take about a quarter of an hour.

${formatTable(
  ['  DRILL', 'fault'],
  DRILLS.map(({ name, fault }) => [`  ${name}`, fault]),
).join('\n')}

  --calls N  calls that are up when it happens (60)
  --json     a line of JSON for each drill instead of the table

Exits with 1 where a drill lost more than it may: a second of audio on calls that the fault concerns,
a packet on others, a row, or the next call.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const unknown = positionals.filter((name) => !DRILLS.some((drill) => drill.name === name))
const calls = Number(values.calls)
if (values.help) {
  console.log(USAGE)
} else if (unknown.length > 0 || !Number.isInteger(calls) || calls < 1) {
  console.error(
    unknown.length > 0
      ? `no drill is called ${unknown[0]}`
      : `--calls: a number, not ${values.calls}`,
  )
  console.error(USAGE)
  process.exitCode = 2
} else {
  await runAll()
}

async function runAll(): Promise<void> {
  const results: DrillResult[] = []
  for (const drill of DRILLS) {
    if (positionals.length > 0 && !positionals.includes(drill.name)) continue
    if (drill.obstacle !== undefined) {
      console.error(`${drill.name} is skipped: ${drill.obstacle}`)
      continue
    }
    console.error(`${drill.name}: ${drill.fault} …`)
    try {
      const result = await runDrill(drill, calls)
      results.push(result)
      if (values.json) console.log(JSON.stringify(result))
    } catch (error) {
      console.error(`${drill.name} could not be carried out: ${messageOf(error)}`)
      process.exitCode = 1
    }
  }
  if (!values.json) for (const line of table(results)) console.log(line)
  if (!results.every(hasPassed)) process.exitCode = 1
}

function table(results: readonly DrillResult[]): string[] {
  const headings = [
    'fault',
    'calls',
    'lost, concerned',
    'lost, others',
    'rows lost',
    'whole after',
    'next call',
    '',
  ]
  const rows = results.map((result) => [
    result.fault,
    result.refused === 0 ? `${result.calls}` : `${result.calls}, ${result.refused} refused`,
    milliseconds(result.concernedLostMs),
    milliseconds(result.otherLostMs),
    `${result.rowsLost}`,
    result.wholeMs === undefined ? 'never' : `${(result.wholeMs / 1000).toFixed(1)} s`,
    result.next,
    hasPassed(result) ? '' : 'FAILED',
  ])
  const verdicts = results.map(({ name, verdicts: counts, note }) => {
    const told = Object.entries(counts).map(([verdict, count]) => `${count} ${verdict}`)
    return `  ${name}: ${told.join(', ')}${note === undefined ? '' : `; ${note}`}`
  })
  return [...formatTable(headings, rows), '', 'verdicts', ...verdicts]
}

function milliseconds(lostMs: number | undefined): string {
  return lostMs === undefined ? '–' : `${lostMs} ms`
}
