import t from 'tap'
import { readCorpus } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { Fuzzer } from './fuzzer.ts'
import { TARGETS } from './targets.ts'

/** How long each target is fuzzed beyond its corpus. */
const MS = 100

let executions = 0
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
    await fuzzer.begin([...seeds, ...readCorpus(target.name)])
    const endMs = performance.now() + MS
    await fuzzer.search(() => performance.now() > endMs)
    await run.close?.()
    coverage.close()
    t.same(faults, [])
    t.ok(fuzzer.executions > 0, `${fuzzer.executions} executions`)
    executions += fuzzer.executions
  })
}

t.test('executions are counted', async (t) => {
  t.ok(executions > TARGETS.length, `${executions} executions of ${TARGETS.length} targets`)
})

t.test('a fault that lies behind a few right bytes is found by what has run', async (t) => {
  const coverage = new Coverage((url) => url.includes('fuzz.test'))
  t.teardown(() => coverage.close())
  const faults: string[] = []
  const take = (input: Uint8Array) => {
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
  t.ok(fuzzer.poolSize >= 3, 'each right byte was kept')
})
