import { Worker } from 'node:worker_threads'
import { type Fault, faultOf } from './fuzzer.ts'

/** What a thread is to do. */
export interface FuzzOrder {
  readonly target: string
  readonly ms: number
  readonly seed: number
  /** How many inputs were taken, how long the last is, and its bytes from the eighth on. */
  readonly progress: SharedArrayBuffer
}

export type FuzzMessage =
  | {
      readonly kind: 'fault'
      readonly input: Uint8Array
      readonly key: string
      readonly stack: string
    }
  | { readonly kind: 'kept'; readonly input: Uint8Array }
  | {
      readonly kind: 'done'
      readonly executions: number
      readonly poolSize: number
      readonly functions: number
    }

export interface FuzzOutcome {
  readonly executions: number
  readonly poolSize: number
  /** Functions of the code under test that have run. */
  readonly functions: number
  readonly faults: readonly Fault[]
  /** Inputs that did something new. */
  readonly kept: readonly Uint8Array[]
}

const LONGEST_INPUT = 262_144
/** An input that takes so long hangs. Machines that do much else are slow. */
const HANGS_AFTER_MS = 30_000
const HEAP_MB = 1024

/** Fuzzes a target for a while. A thread that hangs or dies ends the run, with the input that it was at. */
export async function runTarget(target: string, ms: number, seed: number): Promise<FuzzOutcome> {
  const progress = new SharedArrayBuffer(8 + LONGEST_INPUT)
  const counts = new Int32Array(progress, 0, 2)
  const order: FuzzOrder = { target, ms, seed, progress }
  const worker = new Worker(new URL('./fuzz-thread.js', import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  const faults: Fault[] = []
  const kept: Uint8Array[] = []
  const last = () => Uint8Array.from(new Uint8Array(progress, 8, Atomics.load(counts, 1)))
  let summary = { executions: 0, poolSize: 0, functions: 0 }
  await new Promise<void>((resolve) => {
    let seen = -1
    const watch = setInterval(() => {
      const taken = Atomics.load(counts, 0)
      if (taken !== seen) {
        seen = taken
        return
      }
      faults.push({ input: last(), key: 'hangs', stack: `no end within ${HANGS_AFTER_MS} ms` })
      void worker.terminate()
    }, HANGS_AFTER_MS)
    worker.on('message', (message: FuzzMessage) => {
      if (message.kind === 'fault') faults.push(message)
      else if (message.kind === 'kept') kept.push(message.input)
      else summary = message
    })
    worker.on('error', (error) => faults.push(faultOf(last(), error)))
    worker.on('exit', () => {
      clearInterval(watch)
      resolve()
    })
  })
  const executions = summary.executions || Atomics.load(counts, 0)
  return { ...summary, executions, faults, kept }
}
