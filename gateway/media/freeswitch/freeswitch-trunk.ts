import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { TallenneError } from '../../../base/tallenne-error.ts'
import type { DirectPlane } from '../direct-plane.ts'
import type { TrunkMedia, TrunkMediaPlane, TrunkMediaRequest } from '../trunk-media.ts'
import type { ForkEvents } from './endpoint-fork.ts'
import { FreeswitchCall } from './freeswitch-call.ts'
import type { FreeswitchPool } from './freeswitch-pool.ts'

export interface FreeswitchTrunkPlaneOptions {
  readonly pool: FreeswitchPool
  readonly recordings: DirectPlane
  /** Host that the servers reach the engines' WebSockets at. */
  readonly forkHost: string
  readonly clock: Clock
  readonly log: Log
  readonly events: ForkEvents
}

/** Trunk calls whose legs are endpoints of one FreeSWITCH, bridged there and forked to the recorder. */
export class FreeswitchTrunkPlane implements TrunkMediaPlane {
  readonly #options: FreeswitchTrunkPlaneOptions
  readonly #live = new Set<FreeswitchCall>()

  constructor(options: FreeswitchTrunkPlaneOptions) {
    this.#options = options
    options.recordings.onLost((recordingId, cause) => {
      for (const call of [...this.#live]) {
        if (call.recordingId === recordingId) void call.engineLost(cause)
      }
    })
  }

  async open(request: TrunkMediaRequest): Promise<TrunkMedia> {
    const { pool, clock } = this.#options
    const server = pool.choose()
    const caller = await server.createEndpoint(request.callerOffer)
    const call = new FreeswitchCall({
      ...this.#options,
      server,
      caller,
      request,
      chooseOther: (lost) => pool.choose(lost),
      onClosed: () => this.#live.delete(call),
    })
    this.#live.add(call)
    await call.startRecording()
    const { status } = call
    if (request.isRecordingRequired && status.kind === 'unavailable') {
      await call.close(clock.epochMs(), [])
      throw new TallenneError(status.code, status.message)
    }
    return call
  }
}
