import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'
import type { RecordingOutcome } from '../../../recorder/recording-plan.ts'
import { readSdpOffer, type SdpDirection } from '../../siprec/sdp-offer.ts'
import type { DirectPlane } from '../direct-plane.ts'
import type {
  Party,
  RecordingStatus,
  TrunkMedia,
  TrunkMediaPlane,
  TrunkMediaRequest,
} from '../trunk-media.ts'
import { ForkedRecording } from './forked-recording.ts'
import type { FreeswitchPool } from './freeswitch-pool.ts'
import type { FreeswitchServer } from './freeswitch-server.ts'
import type { Endpoint } from './media-server-surface.ts'
import { mirrored, plainOffer, withDirection } from './plain-offer.ts'
import { settleWithin } from './settle-within.ts'

export interface FreeswitchTrunkPlaneOptions {
  readonly pool: FreeswitchPool
  readonly recordings: DirectPlane
  readonly forkHost: string
  readonly clock: Clock
  readonly log: Log
}

const MODIFY_MS = 5000
const LONGEST_ANNOUNCEMENT_MS = 120_000

/** Trunk calls whose legs are endpoints of one FreeSWITCH, bridged there and forked to the recorder. */
export class FreeswitchTrunkPlane implements TrunkMediaPlane {
  readonly #options: FreeswitchTrunkPlaneOptions

  constructor(options: FreeswitchTrunkPlaneOptions) {
    this.#options = options
  }

  async open(request: TrunkMediaRequest): Promise<TrunkMedia> {
    const { pool, recordings, forkHost, clock, log } = this.#options
    const server = pool.choose()
    const caller = await server.createEndpoint(request.callerOffer)
    const recording = request.isRecorded
      ? new ForkedRecording({
          recordingId: request.recordingId,
          callId: request.callId,
          endpoint: caller,
          roles: ['caller', 'agent'],
          recordings,
          forkHost,
          clock,
          log,
        })
      : undefined
    await recording?.start()
    return new FreeswitchTrunk({ server, caller, recording, request, clock, log })
  }
}

interface Leg {
  readonly endpoint: Endpoint
  /** What the party has of us. */
  localSdp: string
  /** What we have of the party; undefined before it said anything. */
  remoteSdp: string | undefined
}

/** One trunk call's media on FreeSWITCH. Owns both endpoints and the fork. */
class FreeswitchTrunk implements TrunkMedia {
  readonly #server: FreeswitchServer
  readonly #recording: ForkedRecording | undefined
  readonly #clock: Clock
  readonly #log: Log
  readonly #caller: Leg
  readonly #isOfferless: boolean
  readonly #stopWatching: () => void
  #platform: Leg | undefined
  #isBridged = false
  #onLost: (reason: string) => void = () => {}
  #lost: string | undefined
  #closed: Promise<RecordingOutcome | null> | undefined

  constructor(options: {
    readonly server: FreeswitchServer
    readonly caller: Endpoint
    readonly recording: ForkedRecording | undefined
    readonly request: TrunkMediaRequest
    readonly clock: Clock
    readonly log: Log
  }) {
    const { server, caller, request } = options
    this.#server = server
    this.#recording = options.recording
    this.#clock = options.clock
    this.#log = options.log
    this.#isOfferless = request.callerOffer === null
    this.#caller = {
      endpoint: caller,
      localSdp: this.#isOfferless ? plainOffer(caller.local.sdp) : caller.local.sdp,
      remoteSdp: request.callerOffer ?? undefined,
    }
    this.#stopWatching = server.onLost((reason) => this.#lose(reason))
    this.#watch(caller)
  }

  get status(): RecordingStatus {
    return this.#recording?.status ?? { kind: 'off' }
  }

  onStatusChange(listener: (status: RecordingStatus) => void): void {
    this.#recording?.onStatusChange(listener)
  }

  onLost(listener: (reason: string) => void): void {
    this.#onLost = listener
    if (this.#lost !== undefined) listener(this.#lost)
  }

  /** Never told: where FreeSWITCH is lost its endpoints are, and where an engine is lost only the fork moves. */
  onMoved(): void {}

  async offerForPlatform(): Promise<string> {
    const current = this.#platform
    if (current !== undefined && current.remoteSdp === undefined) return current.localSdp
    // An endpoint that has had an answer belongs to the target that gave it.
    if (current !== undefined) await this.#release(current)
    const endpoint = await this.#server.createEndpoint(null)
    this.#watch(endpoint)
    this.#isBridged = false
    this.#platform = {
      endpoint,
      localSdp: plainOffer(endpoint.local.sdp),
      remoteSdp: undefined,
    }
    return this.#platform.localSdp
  }

  async answerFromPlatform(sdp: string): Promise<string> {
    const platform = this.#legOf('platform')
    if (sdp !== platform.remoteSdp) {
      await this.#modify(platform, sdp)
    }
    if (!this.#isBridged) {
      this.#isBridged = true
      await this.#within(this.#caller.endpoint.bridge(platform.endpoint), 'bridge the legs')
    }
    return this.#caller.localSdp
  }

  async takeAnswer(party: Party, sdp: string): Promise<void> {
    const leg = this.#legOf(party)
    if (sdp !== '' && sdp !== leg.remoteSdp) await this.#modify(leg, sdp)
  }

  /** FreeSWITCH answers the party itself; the other party only has to hear of a hold or its end. */
  async reofferFrom(party: Party, sdp: string): Promise<string> {
    await this.#modify(this.#legOf(party), sdp)
    const other = this.#legOf(party === 'caller' ? 'platform' : 'caller')
    other.localSdp = withDirection(other.localSdp, mirrored(directionOf(sdp)))
    return other.localSdp
  }

  async reanswerTo(party: Party, sdp: string): Promise<string> {
    const leg = this.#legOf(party)
    const other = this.#legOf(party === 'caller' ? 'platform' : 'caller')
    if (sdp !== '' && sdp !== other.remoteSdp) await this.#modify(other, sdp)
    return leg.localSdp
  }

  async announce(
    file: string,
    options: { readonly onAnswer: (sdp: string) => void; readonly cancel: AbortSignal },
  ): Promise<void> {
    const { endpoint, localSdp } = this.#caller
    options.onAnswer(localSdp)
    const stop = () => void endpoint.api('uuid_break', endpoint.uuid).catch(() => {})
    options.cancel.addEventListener('abort', stop)
    try {
      await this.#within(endpoint.play(file), 'play the announcement', LONGEST_ANNOUNCEMENT_MS)
    } finally {
      options.cancel.removeEventListener('abort', stop)
    }
  }

  async answered(answeredAtMs: number): Promise<void> {
    await this.#recording?.answered(answeredAtMs)
  }

  close(endedAtMs: number, reasons: RecordingOutcome['reasons']): Promise<RecordingOutcome | null> {
    this.#closed ??= this.#close(endedAtMs, reasons)
    return this.#closed
  }

  async #close(
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome | null> {
    this.#stopWatching()
    const outcome = this.#recording?.close(endedAtMs, reasons)
    const legs = [this.#caller, this.#platform].filter((leg) => leg !== undefined)
    await Promise.all([outcome, ...legs.map((leg) => this.#server.destroyEndpoint(leg.endpoint))])
    return (await outcome) ?? null
  }

  async #modify(leg: Leg, sdp: string): Promise<void> {
    const answer = await this.#within(leg.endpoint.modify(sdp), 'take a new description')
    leg.remoteSdp = sdp
    // The answer to our own offer changes nothing of what the party has of us.
    if (leg === this.#caller && !this.#isOfferless) leg.localSdp = answer
  }

  #legOf(party: Party): Leg {
    const leg = party === 'caller' ? this.#caller : this.#platform
    if (leg === undefined) throw new TallenneError('no_media', 'the platform has no media yet')
    return leg
  }

  async #release(leg: Leg): Promise<void> {
    this.#platform = undefined
    await this.#server.destroyEndpoint(leg.endpoint)
  }

  /** An endpoint that ends by itself takes its call with it. */
  #watch(endpoint: Endpoint): void {
    const ended = () => {
      if (endpoint === this.#caller.endpoint || endpoint === this.#platform?.endpoint) {
        this.#lose('FreeSWITCH hung up an endpoint')
      }
    }
    endpoint.on('destroy', ended)
    endpoint.dialog?.on('destroy', ended)
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined || this.#closed !== undefined) return
    this.#lost = reason
    this.#log.warn({ reason }, 'media on FreeSWITCH is lost')
    this.#onLost(reason)
  }

  async #within<Value>(
    work: Promise<Value>,
    what: string,
    withinMs: number = MODIFY_MS,
  ): Promise<Value> {
    try {
      return await settleWithin(work, { clock: this.#clock, withinMs, what })
    } catch (error) {
      if (error instanceof TallenneError) throw error
      throw new TallenneError('no_media', messageOf(error), { cause: error })
    }
  }
}

function directionOf(sdp: string): SdpDirection {
  const reading = readSdpOffer(sdp)
  if (reading.kind !== 'offer') return 'sendrecv'
  const audio = reading.offer.media.find(({ kind, port }) => kind === 'audio' && port > 0)
  if (audio === undefined) return 'inactive'
  return audio.isHeld ? 'inactive' : audio.direction
}
