import type { Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { EnginePool } from '../../../gateway/media/engine-pool.ts'
import { splitPorts } from '../../../gateway/media/port-ranges.ts'
import type { EngineReport, EngineSettings } from '../../../recorder/engine-protocol.ts'
import { SETTINGS } from '../../recorder/recording-rig.ts'

/** Engine threads that run `entry`, each with its part of the ports; they end with the test. */
export async function startEngines(
  t: Pick<Test, 'teardown'>,
  entry: URL,
  {
    engines = 1,
    onReport = () => undefined,
    onDeath = () => undefined,
    ...changes
  }: Partial<EngineSettings> & {
    readonly engines?: number
    readonly onReport?: (report: EngineReport) => void
    readonly onDeath?: () => void
  } = {},
): Promise<EnginePool> {
  const { portFrom = 20_000, portTo = 20_999 } = changes
  const pool = new EnginePool({
    settings: splitPorts(portFrom, portTo, engines).map(({ from, to }, engineIndex) => ({
      ...SETTINGS,
      ...{ portRestMs: 0, maxRecordings: 50, holdBackMs: 100 },
      ...changes,
      ...{ engineIndex, portFrom: from, portTo: to },
    })),
    entry,
    clock: new SystemClock(),
    log: createSilentLog(),
    onReport: (_engine, report) => onReport(report),
    onDeath,
  })
  t.teardown(() => pool.close(1000))
  await pool.start()
  return pool
}
