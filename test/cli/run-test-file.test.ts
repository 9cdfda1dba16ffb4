import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runTestFile } from '../../cli/run-test-file.ts'

const rootPath = mkdtempSync(join(tmpdir(), 'tallenne-tests-'))
t.teardown(() => rmSync(rootPath, { recursive: true, force: true }))

async function run(source: string, niceness = 0) {
  writeFileSync(join(rootPath, 'a.test.mjs'), source)
  const { counts, told } = await runTestFile('a.test.mjs', { rootPath, env: process.env, niceness })
  return { counts, told }
}

t.test('a file is run and its tests are counted', async (t) => {
  t.strictSame(await run("console.log('ok 1 - one\\nok 2 - two # SKIP no disk\\n1..2')"), {
    counts: { passed: 1, failed: 0, skipped: 1 },
    told: [],
  })
})

t.test('a failed test counts once, with what it told', async (t) => {
  const source = "console.log('not ok 1 - one\\nok 2 - two\\n1..2'); process.exitCode = 1"
  t.strictSame(await run(source), {
    counts: { passed: 1, failed: 1, skipped: 0 },
    told: ['not ok 1 - one'],
  })
})

t.test('a file that ends badly although no test of it failed counts as one failure', async (t) => {
  const one = { counts: { passed: 1, failed: 1, skipped: 0 }, told: [] }
  t.strictSame(await run("console.log('ok 1 - one\\n1..1'); process.exitCode = 3"), one)
  t.strictSame(await run("console.log('ok 1 - one\\n1..2')"), one)
  t.strictSame(await run("console.log('ok 1 - one')"), one)
  const killed = "console.log('ok 1 - one\\n1..1'); process.kill(process.pid, 'SIGKILL')"
  t.strictSame((await run(killed)).counts.failed, 1)
})

t.test('a file makes way for others as far as it is told to', async (t) => {
  const wanted = Math.min(19, getPriority() + 5)
  const source = `
    import { getPriority } from 'node:os'
    for (let looks = 0; getPriority() < ${wanted} && looks < 1000; looks++) await new Promise(setImmediate)
    console.log('not ok 1 - niceness ' + getPriority() + '\\n1..1')`
  t.strictSame((await run(source, 5)).told, [`not ok 1 - niceness ${wanted}`])
})
