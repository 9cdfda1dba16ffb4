import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { readCommand } from '../../cli/read-command.ts'
import type { Terminal } from '../../cli/verb.ts'
import { VERBS } from '../../cli/verbs.ts'
import { dataPaths } from '../../config/data-paths.ts'
import { loadConfig } from '../../config/load-config.ts'
import { startTestPortal, TOKEN } from '../portal/portal.ts'

const portal = await startTestPortal()
t.teardown(() => portal.close())

/** The command line with a list beside it, as an operator of the portal uses it. */
function commandLine(t: Test) {
  const folder = t.testdir()
  const configPath = join(folder, 'tallenne.yaml')
  const http = { portal: { host: '127.0.0.1', port: portal.port } }
  writeFileSync(configPath, stringify({ dataPath: folder, http, catchAll: { timeZone: 'UTC' } }))
  const { adminToken } = dataPaths(loadConfig(configPath, {}))
  mkdirSync(dirname(adminToken), { recursive: true })
  writeFileSync(adminToken, TOKEN, { mode: 0o600 })
  const file = join(folder, 'calls.csv')
  return {
    file,
    write: (list: string) => writeFileSync(file, list),
    run: async (...words: string[]) => {
      const out: string[] = []
      const err: string[] = []
      const terminal: Terminal = {
        print: (line) => out.push(line),
        warn: (line) => err.push(line),
        rewrite: () => {},
        env: {},
        isInteractive: false,
        columns: 80,
        stopSignal: () => new AbortController().signal,
        rootPath: folder,
      }
      const command = await readCommand([...words, '--config', configPath], VERBS)
      if (command.kind !== 'run') throw new Error('nothing to run')
      const code = await command.verb.run(command.given, terminal)
      return { code, out, err }
    },
  }
}

const ROWS = 2500
const rows = Array.from(
  { length: ROWS },
  (_, n) => `2026-01-15T08:${String(n % 60).padStart(2, '0')}:00Z,ref-${n},+12025550147`,
)

t.test('one bad row of thousands is named, and all others are taken', async (t) => {
  const { file, write, run } = commandLine(t)
  const spoil = (line: number, row: string) => rows.with(line - 2, row)
  const head = 'Start Time,UCID,ANI'
  const bad = spoil(1200, `2026-01-15 08:00:00,${'x'.repeat(300)},+12025550147`)
    .with(1300, `2026-01-15 08:00:00,${'y'.repeat(100_000)},+12025550147`)
    .with(1400, '2026-01-15 08:00:00,"open,+12025550147')
    .with(2400, `2026-01-15 08:00:00,ref-2400,${'9'.repeat(60_000)}`)
  write([head, ...bad, ''].join('\n'))
  const first = await run('completeness', 'import', file)
  t.equal(first.code, 1)
  t.strictSame(first.err, [
    `${file}:1200 UCID: found "${'x'.repeat(60)}", expected at most 255 characters.`,
    `${file}:1302 UCID: found "${'y'.repeat(60)}", expected a line of at most 65536 characters.`,
    `${file}:1402 UCID: found "open,+12025550147", expected a field whose quotes end, with those within it doubled.`,
    `${file}:2402 ANI: found "${'9'.repeat(60)}", expected at most 255 characters.`,
  ])
  t.equal(
    first.out[0],
    '2500 calls read: 2496 new, 0 known before, 4 not taken; 0 of them came here.',
  )

  write([head, ...rows].join('\n'))
  const mended = await run('completeness', 'import', file)
  t.match(mended, { code: 0, err: [] })
  t.equal(
    mended.out[0],
    '2500 calls read: 4 new, 2496 known before, 0 not taken; 0 of them came here.',
  )
  const again = await run('completeness', 'import', file, '--json')
  t.equal(again.code, 0)
  t.match(JSON.parse(again.out[0] ?? ''), { read: ROWS, taken: 0, known: ROWS, rejected: 0 })

  const imports = await run('completeness', 'imports')
  t.match(imports.out, [
    /^imported +list +by +calls +came +missing +first +last +id$/,
    /platform +admin-token +2500 +0 +2500 +2026-01-15 08:00:00 \+00:00 +2026-01-15 08:59:00/,
    / +2500 /,
    / +2496 /,
  ])
  const ids = imports.out.slice(1).map((line) => line.slice(-36))
  for (const [id, removed] of ids.map((id, n) => [id, [0, 4, 2496][n]] as const)) {
    const { code, out } = await run('completeness', 'withdraw', id)
    t.equal(code, 0)
    t.match(
      out[0],
      new RegExp(`^Import ${id} of the list platform is withdrawn .*: ${removed} calls`),
    )
  }
  const period = ['--from', '2026-01-15T00:00:00Z', '--to', '2026-01-16T00:00:00Z']
  t.match(await run('completeness', ...period), {
    code: 0,
    out: [/: 0 calls$/, '', /has not been imported/, 'Everything is accounted for.'],
  })
})

t.test('what is no id of an import is told', async (t) => {
  const { run } = commandLine(t)
  await t.rejects(run('completeness', 'withdraw', 'x'), { code: 'option_value' })
  await t.rejects(run('completeness', 'withdraw', '01940000-0000-7000-8000-000000000000'), {
    code: 'import_unknown',
  })
})
