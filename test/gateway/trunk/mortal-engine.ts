import '../../../gateway/engine-thread.ts'
import { parentPort } from 'node:worker_threads'
import type { EngineRequest } from '../../../recorder/engine-protocol.ts'

/** A real engine's thread that a recording with the Call-ID `die` ends, as a fault of its own would. */
parentPort?.on('message', (request: EngineRequest) => {
  if (request.kind === 'open' && request.plan.callId === 'die') process.exit(1)
})
