import { isIP } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { TallenneError } from '../base/tallenne-error.ts'
import type { EngineSettings } from './engine-protocol.ts'
import type { FileBudget } from './file-budget.ts'
import type { StreamPlace } from './media-stream.ts'
import { PortPool } from './port-pool.ts'
import type { Recording } from './recording.ts'
import type { StreamPlan, StreamPort } from './recording-plan.ts'
import { bindSocketPair, closeSocketPair } from './rtp-sockets.ts'

/** RTP and RTCP. */
const FILES_PER_STREAM = 2

/**
 * Where an engine's streams are received: binds their sockets in the engine's range of ports, within the process's limit
 * of open files, and closes them again.
 */
export class StreamPorts {
  readonly #settings: EngineSettings
  readonly #pool: PortPool
  readonly #files: FileBudget
  #isClosed = false

  constructor(options: {
    readonly settings: EngineSettings
    readonly clock: Clock
    readonly files: FileBudget
  }) {
    const { portFrom: from, portTo: to, portRestMs: restMs } = options.settings
    this.#settings = options.settings
    this.#pool = new PortPool({ from, to, restMs, clock: options.clock })
    this.#files = options.files
  }

  get inUse(): number {
    return this.#pool.inUse
  }

  get resting(): number {
    return this.#pool.resting
  }

  get free(): number {
    return this.#pool.free
  }

  /**
   * Adds the streams to the recording, each with sockets of its own, and tells where they are received. Those that
   * recordings in `from` have of these streams are taken from them. `otherFiles` are to be opened besides.
   *
   * Rejects with `no_files`, or with `no_ports` where the ports run out; the streams added until then stay with the
   * recording. Rejects with `engine_failed` where the recording is closed meanwhile.
   */
  async add(
    recording: Recording,
    plans: readonly StreamPlan[],
    { otherFiles, from }: { readonly otherFiles: number; readonly from: readonly Recording[] },
  ): Promise<readonly StreamPort[]> {
    const holderOf = ({ streamId }: StreamPlan) =>
      from.find((one) => one.stream(streamId)?.sockets !== undefined)
    const added = plans.filter((plan) => holderOf(plan) === undefined).length
    const files = added * FILES_PER_STREAM + otherFiles
    if (files > 0 && !this.#files.grant(files)) {
      throw new TallenneError('no_files', 'the process is near its limit of open files')
    }
    const ports: StreamPort[] = []
    for (const plan of plans) {
      const place = holderOf(plan)?.releaseStream(plan.streamId) ?? (await this.#bind(plan))
      if (place === undefined) throw new TallenneError('no_ports', this.#describeLack())
      if (recording.isClosed || this.#isClosed) {
        closeSocketPair(place.sockets, this.#pool)
        throw new TallenneError('engine_failed', 'the recording was closed meanwhile')
      }
      recording.addStream(plan, place)
      ports.push(...this.of(recording, plan.streamId))
    }
    return ports
  }

  async #bind(plan: StreamPlan): Promise<StreamPlace | undefined> {
    const sockets = await bindSocketPair(this.#pool, this.#placeOf(plan).bindAddress)
    return sockets && { sockets }
  }

  /** Where a stream is received; nothing where it has no sockets of its own. */
  of(recording: Recording, streamId: string): readonly StreamPort[] {
    const sockets = recording.stream(streamId)?.sockets
    if (sockets === undefined) return []
    const { rtpPort, boundAddress } = sockets
    const { otherVersion } = this.#settings
    const isOther = boundAddress === otherVersion?.bindAddress
    const address = isOther ? otherVersion.advertisedAddress : this.#settings.advertisedAddress
    return [{ streamId, address, rtpPort, rtcpPort: rtpPort + 1 }]
  }

  /** The addresses of the IP version that the stream comes by, where this node has it. */
  #placeOf({ ipVersion }: StreamPlan): Pick<EngineSettings, 'bindAddress' | 'advertisedAddress'> {
    const { otherVersion } = this.#settings
    const isOther = otherVersion !== undefined && isIP(otherVersion.bindAddress) === ipVersion
    return isOther ? otherVersion : this.#settings
  }

  /** Closes what the recording listens on; its ports rest from now on. */
  release(recording: Recording): void {
    for (const pair of recording.sockets) closeSocketPair(pair, this.#pool)
  }

  /** Nothing is bound any more. What is bound is its recordings' to release. */
  close(): void {
    this.#isClosed = true
  }

  #describeLack(): string {
    const { portFrom, portTo } = this.#settings
    return `no pair of ports is free in ${portFrom}–${portTo} (${this.#pool.inUse} in use, others rest)`
  }
}
