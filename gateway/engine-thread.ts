import { parentPort, workerData } from 'node:worker_threads'
import { SystemClock } from '../base/clock.ts'
import { createLog } from '../base/log.ts'
import { Engine } from '../recorder/engine.ts'
import type { EngineRequest, EngineSettings } from '../recorder/engine-protocol.ts'
import { DiskClient } from '../storage/disk/disk-client.ts'
import type { EngineDisk } from './media/engine-disk.ts'
import { sinksOf } from './open-sinks.ts'

/** Entry of an engine thread: puts an engine together and passes requests and replies. */
const settings: EngineSettings & EngineDisk = workerData
const clock = new SystemClock()
const log = createLog('gateway').child({ engine: settings.engineIndex })
const disk = new DiskClient({ ...settings.disk, clock })
const engine = new Engine({
  settings,
  clock,
  openSink: sinksOf(settings, disk, log),
  log,
  reply: (message) => parentPort?.postMessage(message),
})
parentPort?.on('message', (request: EngineRequest) => engine.handle(request))
engine.start()
