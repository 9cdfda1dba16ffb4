import { spawn } from 'node:child_process'
import { getPriority, setPriority } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { TapSummary, type TestCounts } from './tap-summary.ts'

export interface TestFileRun {
  readonly counts: TestCounts
  /** What explains its failures. */
  readonly told: readonly string[]
  readonly tookMs: number
}

/** tap ends a file after that and says what it waited for; what cannot even do that is killed a little later. */
const LIMIT_S = 300
const GRACE_S = 10

/**
 * Runs one compiled test file, `path` below `rootPath`, by Node alone. Under tap's own runner each file, and each process
 * that it starts, loads its modules by way of a recorder of loaded files, which coverage needs and which costs more than
 * most of our tests.
 */
export async function runTestFile(
  path: string,
  {
    rootPath,
    env,
    niceness,
  }: {
    readonly rootPath: string
    readonly env: Readonly<NodeJS.ProcessEnv>
    /** By how much more than this process it, and what it starts, makes way for others (nice(2)). */
    readonly niceness: number
  },
): Promise<TestFileRun> {
  const startedAtMs = performance.now()
  const child = spawn(process.execPath, ['--enable-source-maps', join(rootPath, path)], {
    cwd: rootPath,
    env: { ...env, TAP: '1', TAP_TIMEOUT: String(LIMIT_S) },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: (LIMIT_S + GRACE_S) * 1000,
    killSignal: 'SIGKILL',
  })
  if (child.pid !== undefined) setPriority(child.pid, Math.min(19, getPriority() + niceness))
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const summary = new TapSummary()
  const told: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    told.push(...summary.read(line))
  }
  const hasPassed = (await ended) === 0 && summary.isWhole
  const { counts } = summary
  return {
    // A file that fails although none of its tests did has crashed, or was too slow.
    counts: hasPassed || counts.failed > 0 ? counts : { ...counts, failed: 1 },
    told,
    tookMs: performance.now() - startedAtMs,
  }
}
