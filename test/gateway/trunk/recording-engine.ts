import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { EnginePool } from '../../../gateway/media/engine-pool.ts'
import { startEngines } from '../media/start-engines.ts'

/** A real engine in a thread of its own, and where it records. */
export interface RecordingEngine {
  readonly pool: EnginePool
  readonly spool: string
}

let shared: Promise<RecordingEngine> | undefined

/** The one of all tests in a file: a thread takes a second to load what an engine needs. */
export function sharedEngine(): Promise<RecordingEngine> {
  shared ??= startEngine(t, { portFrom: 43_000, portTo: 43_399, maxRecordings: 50 })
  return shared
}

/** One of a test's own, which may be killed, by a call whose Call-ID is `die`, or filled. */
export function ownEngine(t: Test, maxRecordings = 50): Promise<RecordingEngine> {
  return startEngine(t, { portFrom: 44_000, portTo: 44_399, maxRecordings })
}

async function startEngine(
  t: Pick<Test, 'teardown'>,
  settings: { readonly portFrom: number; readonly portTo: number; readonly maxRecordings: number },
): Promise<RecordingEngine> {
  const spool = mkdtempSync(join(tmpdir(), 'tallenne-spool-'))
  t.teardown(() => rmSync(spool, { recursive: true, force: true }))
  const pool = await startEngines(t, new URL('./mortal-engine.js', import.meta.url), {
    ...settings,
    spoolPath: spool,
    forkListen: { host: '127.0.0.1', port: 0 },
  })
  return { pool, spool }
}
