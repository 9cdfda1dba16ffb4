import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { readCorpus } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { Fuzzer } from './fuzzer.ts'
import { TARGETS } from './targets.ts'

const execute = promisify(execFile)
const MAIN = new URL('./main.js', import.meta.url).pathname

/** How long each target is fuzzed beyond its corpus. */
const MS = 100

for (const target of TARGETS) {
  const sentence = `${target.name} takes its corpus, and what comes of it for a moment`
  t.test(sentence, { timeout: 120_000 }, async (t) => {
    const isCounted = (url: string) => target.covers.some((one) => url.includes(`/build/${one}`))
    const coverage = new Coverage(isCounted)
    const run = await target.start()
    const faults: string[] = []
    const fuzzer = new Fuzzer({
      target,
      run,
      coverage,
      seed: 1,
      events: { onTaking: () => {}, onKept: () => {}, onFault: ({ stack }) => faults.push(stack) },
    })
    const seeds = target.seeds().filter((_, at) => at % 8 === 0)
    const inputs = [...seeds, ...readCorpus(target.name)]
    await fuzzer.begin(inputs)
    t.ok(inputs.length > 0, 'it has inputs to begin with')
    t.equal(fuzzer.executions, inputs.length)
    const endMs = performance.now() + MS
    const isOver = () => performance.now() > endMs && fuzzer.executions > inputs.length
    await fuzzer.search(isOver)
    await run.close?.()
    coverage.close()
    t.same(faults, [])
  })
}

t.test('the command prints as many executions as each target had', async (t) => {
  const chosen = TARGETS.slice(0, 2)
  const names = chosen.flatMap(({ name }) => ['--target', name])
  const { stdout } = await execute('node', [MAIN, '--seconds', '0.2', '--seed', '1', ...names])
  const [first, ...rest] = stdout.trim().split('\n')
  t.equal(first, '0.2 s for each of 2 targets, seed 1')
  const counts = rest.map((line) => Number(/(\d+) executions/.exec(line)?.[1]))
  t.equal(counts.length, 3, stdout)
  for (const [at, { name, seeds }] of chosen.entries()) {
    const least = seeds().length + readCorpus(name).length
    t.ok((counts[at] ?? 0) >= least, `${name}: ${counts[at]} executions of ${least} inputs`)
  }
  t.equal(rest[2], `${(counts[0] ?? 0) + (counts[1] ?? 0)} executions, 0 faults`)
})

t.test('a fault that lies behind a few right bytes is found by what has run', async (t) => {
  const coverage = new Coverage((url) => url.includes('fuzz.test'))
  t.teardown(() => coverage.close())
  const faults: string[] = []
  let taken = 0
  const take = (input: Uint8Array) => {
    taken += 1
    if (input[0] !== 0x7f) return
    if (input[1] !== 0x80) return
    if (input[2] === 0x0d) throw new Error('found')
  }
  const fuzzer = new Fuzzer({
    target: { name: 'x', covers: [], seeds: () => [], maxBytes: 8, start: () => ({ take }) },
    run: { take },
    coverage,
    seed: 5,
    events: {
      onTaking: () => {},
      onKept: () => {},
      onFault: ({ stack }) => faults.push(stack.split('\n', 1)[0] ?? ''),
    },
  })
  await fuzzer.begin([new Uint8Array(4)])
  await fuzzer.search(() => faults.length > 0 || fuzzer.executions > 2_000_000)
  t.same(faults, ['Error: found'])
  t.equal(fuzzer.executions, taken, 'what is counted was done')
  t.ok(fuzzer.poolSize >= 3, 'each right byte was kept')
})
