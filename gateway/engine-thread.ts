import { parentPort } from 'node:worker_threads'
import { SystemClock } from '../base/clock.ts'
import { createLog } from '../base/log.ts'
import { Engine } from '../recorder/engine.ts'
import type { EngineRequest } from '../recorder/engine-protocol.ts'
import { DirectDisk } from '../storage/disk/direct-disk.ts'
import { DiskClient } from '../storage/disk/disk-client.ts'
import type { EngineSetup } from './media/engine-disk.ts'
import { sinksOf } from './open-sinks.ts'

/** Entry of an engine thread: puts an engine together when it is told how, and passes requests and replies. */
const clock = new SystemClock()
let engine: Engine | undefined

parentPort?.on('message', (message: EngineSetup | EngineRequest) => {
  if (engine === undefined) {
    engine = assemble(message as EngineSetup)
    engine.start()
  } else {
    engine.handle(message as EngineRequest)
  }
})

function assemble(setup: EngineSetup): Engine {
  const { disk, logLevel, ...settings } = setup
  const log = createLog('gateway', logLevel).child({ engine: settings.engineIndex })
  log.debug('engine started')
  return new Engine({
    settings,
    clock,
    openSink: sinksOf(settings, disk ? new DiskClient({ ...disk, clock }) : new DirectDisk(), log),
    log,
    reply: (reply) => parentPort?.postMessage(reply),
  })
}
