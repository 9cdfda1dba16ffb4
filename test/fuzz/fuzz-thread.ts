import { parentPort, workerData } from 'node:worker_threads'
import { readCorpus } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { Fuzzer } from './fuzzer.ts'
import type { FuzzMessage, FuzzOrder } from './run-target.ts'
import { TARGETS } from './targets.ts'

/** Runs one target in a thread of its own, which may hang or run out of memory without taking the rest along. */
async function main(order: FuzzOrder): Promise<void> {
  const target = TARGETS.find(({ name }) => name === order.target)
  if (target === undefined) throw new Error(`no target ${order.target}`)
  const tell = (message: FuzzMessage) => parentPort?.postMessage(message)
  const progress = new Int32Array(order.progress, 0, 2)
  const taking = new Uint8Array(order.progress, 8)
  const isCounted = (url: string) =>
    target.covers.some((folder) => url.includes(`/build/${folder}`))
  const coverage = new Coverage(isCounted)
  const run = await target.start()
  coverage.skip()
  const fuzzer = new Fuzzer({
    target,
    run,
    coverage,
    seed: order.seed,
    events: {
      onTaking: (input) => {
        taking.set(input.subarray(0, taking.length))
        Atomics.store(progress, 1, Math.min(input.length, taking.length))
        Atomics.add(progress, 0, 1)
      },
      onFault: ({ input, key, stack }) => tell({ kind: 'fault', input, key, stack }),
      onKept: (input) => tell({ kind: 'kept', input }),
    },
  })
  const endMs = performance.now() + order.ms
  await fuzzer.begin([...target.seeds(), ...readCorpus(target.name)])
  await fuzzer.search(() => performance.now() > endMs)
  await run.close?.()
  coverage.close()
  const { executions, poolSize } = fuzzer
  tell({ kind: 'done', executions, poolSize, functions: coverage.functions })
}

await main(workerData)
