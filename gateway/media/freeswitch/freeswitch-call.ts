import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'
import { newId } from '../../../base/uuid.ts'
import type { RecordingOutcome, Role } from '../../../recorder/recording-plan.ts'
import { withMasking } from '../../calls/ordered-control.ts'
import type { DialogRenewer } from '../../sip/renew-dialog.ts'
import { readSdpOffer, type SdpDirection } from '../../siprec/sdp-offer.ts'
import type { DirectPlane } from '../direct-plane.ts'
import {
  type MovedMedia,
  otherOf,
  type Party,
  type RecordingStatus,
  type TrunkMedia,
  type TrunkMediaRequest,
} from '../trunk-media.ts'
import { bridgeEndpoints } from './bridge-endpoints.ts'
import type { ForkEvents, ForkedEndpoint } from './endpoint-fork.ts'
import { ForkedRecording } from './forked-recording.ts'
import type { FreeswitchServer, OpenedEndpoint } from './freeswitch-server.ts'
import type { Endpoint } from './media-server-surface.ts'
import { continuing, withDirection } from './plain-offer.ts'
import { settleWithin } from './settle-within.ts'

export interface FreeswitchCallOptions {
  readonly server: FreeswitchServer
  readonly caller: OpenedEndpoint
  readonly request: TrunkMediaRequest
  readonly recordings: DirectPlane
  readonly forkHost: string
  readonly clock: Clock
  readonly log: Log
  readonly events: ForkEvents
  /** Another server than the one that is lost. Throws `no_media_server`. */
  readonly chooseOther: (lost: FreeswitchServer) => FreeswitchServer
  readonly onClosed: () => void
}

interface Leg {
  readonly endpoint: Endpoint
  /** What the party has of us. */
  localSdp: string
  /** What we have of the party; undefined before it said anything. */
  remoteSdp: string | undefined
  /** Settles when FreeSWITCH has taken the party's first description. */
  introduced?: Promise<unknown>
}

const MODIFY_MS = 5000
const LONGEST_ANNOUNCEMENT_MS = 120_000

/** One trunk call's media on FreeSWITCH. Owns its endpoints and the fork of the caller's. */
export class FreeswitchCall implements TrunkMedia {
  readonly #options: FreeswitchCallOptions
  readonly #log: Log
  #server: FreeswitchServer
  #caller: Leg
  #stopWatching: () => void
  #recording: ForkedRecording | undefined
  /** Whom the caller is, or is to be, bridged with. */
  #platform: Leg | undefined
  /** The endpoint of a target that has not answered yet. */
  #candidate: Leg | undefined
  #bridged: Leg | undefined
  #isAnswered = false
  #onStatusChange: (status: RecordingStatus) => void = () => {}
  #onLost: (reason: string) => void = () => {}
  #onMoved: (moved: MovedMedia) => void = () => {}
  #lost: string | undefined
  #isMoving = false
  #closed: Promise<RecordingOutcome | null> | undefined

  constructor(options: FreeswitchCallOptions) {
    const { server, caller, request } = options
    this.#options = options
    this.#log = options.log.child({ callId: request.callId, freeswitch: server.address.name })
    this.#server = server
    this.#caller = { ...caller, remoteSdp: request.callerOffer ?? undefined }
    this.#stopWatching = server.onLost((reason) => this.#lose(reason))
    this.#watch(caller.endpoint, 'caller')
    if (request.isRecorded) this.#recording = this.#newRecording(request.recordingId)
  }

  /** Of the recording that is open; undefined where the call is not recorded. */
  get recordingId(): string | undefined {
    return this.#recording?.recordingId
  }

  get status(): RecordingStatus {
    return this.#recording?.status ?? { kind: 'off' }
  }

  onStatusChange(listener: (status: RecordingStatus) => void): void {
    this.#onStatusChange = listener
  }

  onLost(listener: (reason: string) => void): void {
    this.#onLost = listener
    if (this.#lost !== undefined) listener(this.#lost)
  }

  onMoved(listener: (moved: MovedMedia) => void): void {
    this.#onMoved = listener
  }

  /** Resolves when the fork is there, or known not to come. */
  async startRecording(): Promise<void> {
    await this.#recording?.start([this.#forked])
  }

  async offerForPlatform(): Promise<string> {
    // A target that refused leaves its endpoint to the next; one that gave early media has spoiled it.
    this.#candidate ??= await this.#newCandidate()
    const candidate = this.#candidate
    // Before anybody answers, so that not even the first word waits for it. Whoever talks to another is not torn away.
    if (this.#platform === undefined) await this.#bridgeWith(candidate)
    return candidate.localSdp
  }

  async answerFromPlatform(sdp: string): Promise<string> {
    const candidate = this.#candidate
    if (candidate === undefined) {
      const platform = this.#legOf('platform')
      if (sdp !== platform.remoteSdp) await this.#modify(platform, sdp)
      return this.#caller.localSdp
    }
    const before = this.#platform
    if (before === undefined) {
      this.#platform = candidate
      this.#candidate = undefined
      // Both hear each other as soon as FreeSWITCH has taken it: the caller's answer need not wait for that.
      candidate.introduced = this.#introduce(candidate, sdp).catch((error: unknown) =>
        this.#lose(messageOf(error)),
      )
      return this.#caller.localSdp
    }
    await this.#introduce(candidate, sdp)
    this.#platform = candidate
    this.#candidate = undefined
    await this.#bridgeWith(candidate)
    await this.#server.destroyEndpoint(before.endpoint)
    return this.#caller.localSdp
  }

  /** A party has put the other on hold. */
  get isHeld(): boolean {
    return [this.#caller, this.#platform].some(
      (leg) => leg?.remoteSdp !== undefined && directionOf(leg.remoteSdp) !== 'sendrecv',
    )
  }

  async renewSignalling(framework: DialogRenewer): Promise<void> {
    const legs = [this.#caller, this.#platform].filter((leg) => leg !== undefined)
    await Promise.all(legs.map(({ endpoint }) => this.#server.renewEndpoint(endpoint, framework)))
  }

  async takeAnswer(party: Party, sdp: string): Promise<void> {
    const leg = this.#legOf(party)
    // FreeSWITCH has no need to hear a description that it has, as after a refresh.
    if (sdp === '' || sdp === leg.remoteSdp) return
    await this.#modify(leg, sdp)
  }

  /** FreeSWITCH answers the party itself; the other party only has to hear of a hold or its end. */
  async reofferFrom(party: Party, sdp: string): Promise<string> {
    const leg = this.#legOf(party)
    const other = this.#legOf(otherOf(party))
    leg.localSdp = continuing(leg.localSdp, await this.#modify(leg, sdp))
    other.localSdp = withDirection(other.localSdp, directionOf(sdp))
    return other.localSdp
  }

  async reanswerTo(party: Party, sdp: string): Promise<string> {
    const other = this.#legOf(otherOf(party))
    if (sdp !== '' && sdp !== other.remoteSdp) await this.#modify(other, sdp)
    return this.#legOf(party).localSdp
  }

  async announce(
    file: string,
    options: { readonly onAnswer: (sdp: string) => void; readonly cancel: AbortSignal },
  ): Promise<void> {
    const { endpoint, localSdp } = this.#caller
    options.onAnswer(localSdp)
    if (options.cancel.aborted) return
    const stop = () => void endpoint.api('uuid_break', endpoint.uuid).catch(() => undefined)
    options.cancel.addEventListener('abort', stop)
    try {
      await this.#within(endpoint.play(file), 'play the announcement', LONGEST_ANNOUNCEMENT_MS)
    } finally {
      options.cancel.removeEventListener('abort', stop)
    }
  }

  async answered(answeredAtMs: number): Promise<void> {
    this.#isAnswered = true
    await this.#recording?.answered(answeredAtMs)
  }

  close(endedAtMs: number, reasons: RecordingOutcome['reasons']): Promise<RecordingOutcome | null> {
    this.#closed ??= this.#close(endedAtMs, reasons)
    return this.#closed
  }

  /** The engine died. The parties' media is on FreeSWITCH and goes on; its fork goes to another engine. */
  async engineLost(cause: string): Promise<void> {
    const lost = this.#recording
    if (lost === undefined || this.#closed !== undefined) return
    this.#log.warn({ recordingId: lost.recordingId, cause }, 'engine of the call died')
    const movedAtMs = this.#options.clock.epochMs()
    const before = lost.close(movedAtMs, ['engine_failed'])
    if (!this.#isAnswered) await before
    // Nothing of an unanswered call was written, so that its recording begins again under the same id.
    const recording = this.#newRecording(this.#isAnswered ? newId() : lost.recordingId)
    this.#recording = recording
    const { recordingId } = recording
    if (this.#isAnswered) this.#onMoved({ recordingId, movedAtMs, offers: null, before })
    await recording.start([this.#forked])
    if (this.#isAnswered) await recording.answered(movedAtMs).catch(() => undefined)
  }

  /** What the caller says and what it hears, in one stereo fork. */
  get #forked(): ForkedEndpoint {
    const legOf = (role: Role) => ({ streamId: `fork-${role}`, role, isReceiving: true })
    const legs = withMasking([legOf('caller'), legOf('agent')], this.#options.request.control)
    return { endpoint: this.#caller.endpoint, legs }
  }

  #newRecording(recordingId: string): ForkedRecording {
    const { request } = this.#options
    const recording: ForkedRecording = new ForkedRecording({
      ...this.#options,
      recordingId,
      callId: request.callId,
      ...(request.control && { control: request.control }),
      log: this.#log,
      onStatusChange: (status) => {
        if (this.#recording === recording) this.#onStatusChange(status)
      },
    })
    return recording
  }

  async #bridgeWith(leg: Leg): Promise<void> {
    if (this.#bridged === leg) return
    this.#bridged = leg
    const bridged = bridgeEndpoints(this.#caller.endpoint, leg.endpoint, this.#options.clock)
    await this.#within(bridged, 'bridge the legs')
    await this.#recording?.realign()
  }

  async #newCandidate(): Promise<Leg> {
    const opened = await this.#server.createEndpoint(null)
    if (this.#closed !== undefined) {
      await this.#server.destroyEndpoint(opened.endpoint)
      throw new TallenneError('no_media', 'the call ended meanwhile')
    }
    this.#watch(opened.endpoint, 'agent')
    return { ...opened, remoteSdp: undefined }
  }

  async #close(
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome | null> {
    this.#stopWatching()
    this.#options.onClosed()
    const outcome = this.#recording?.close(endedAtMs, reasons)
    const legs = [this.#caller, this.#platform, this.#candidate].filter((leg) => leg !== undefined)
    // Endpoints first go silent when the engine has what was said until the end.
    const recorded = (await outcome) ?? null
    await Promise.all(legs.map((leg) => this.#server.destroyEndpoint(leg.endpoint)))
    return recorded
  }

  async #modify(leg: Leg, sdp: string): Promise<string> {
    await leg.introduced
    if (leg.remoteSdp === undefined) return this.#introduce(leg, sdp)
    const answer = await this.#within(leg.endpoint.modify(sdp), 'take a new description')
    leg.remoteSdp = sdp
    return answer
  }

  async #introduce(leg: Leg, sdp: string): Promise<string> {
    leg.remoteSdp = sdp
    return this.#server.introduceParty(leg.endpoint, sdp)
  }

  #legOf(party: Party): Leg {
    const leg = party === 'caller' ? this.#caller : this.#platform
    if (leg === undefined) throw new TallenneError('no_media', 'the platform has no media yet')
    return leg
  }

  /** An endpoint that ends by itself takes its call with it. */
  #watch(endpoint: Endpoint, role: Role): void {
    const ended = () => {
      const current = [this.#caller, this.#platform, this.#candidate]
      if (current.some((leg) => leg?.endpoint === endpoint)) {
        this.#lose('FreeSWITCH hung up an endpoint')
      }
    }
    endpoint.on('dtmf', ({ dtmf = '' }) => this.#options.request.control?.pressed(role, dtmf))
    endpoint.on('destroy', ended)
    endpoint.dialog?.on('destroy', ended)
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined || this.#closed !== undefined || this.#isMoving) return
    this.#isMoving = true
    this.#moveOn(reason).then(
      () => {
        this.#isMoving = false
        const legs = [this.#caller, this.#platform]
        if (!legs.every((leg) => leg?.endpoint.connected)) this.#lose('another FreeSWITCH is lost')
      },
      (error: unknown) => this.#giveUp(`${reason}; ${messageOf(error)}`),
    )
  }

  /**
   * Both parties are offered endpoints of another server, where a recording of its own goes on. Rejects where the call
   * is not answered, the server is well and has ended the call on purpose, or there is no other.
   */
  async #moveOn(reason: string): Promise<void> {
    const { clock, request, chooseOther } = this.#options
    const left = this.#server
    const [caller, platform] = [this.#caller, this.#platform]
    if (!this.#isAnswered || platform === undefined) throw new TallenneError('no_media', 'no call')
    if (await left.answers()) throw new TallenneError('no_media', 'FreeSWITCH itself is well')
    const server = chooseOther(left)
    this.#log.warn({ reason, to: server.address.name }, 'call goes to another FreeSWITCH')
    const { forCaller, forPlatform } = await openPair(server)
    const endpoints = [forCaller.endpoint, forPlatform.endpoint]
    if (this.#closed !== undefined) {
      await Promise.all(endpoints.map((endpoint) => server.destroyEndpoint(endpoint)))
      return
    }
    const movedAtMs = clock.epochMs()
    const before = this.#recording?.close(movedAtMs, ['engine_failed']) ?? Promise.resolve(null)
    this.#stopWatching()
    this.#stopWatching = server.onLost((cause) => this.#lose(cause))
    this.#server = server
    this.#caller = followed(caller, forCaller)
    this.#platform = followed(platform, forPlatform)
    this.#watch(forCaller.endpoint, 'caller')
    this.#watch(forPlatform.endpoint, 'agent')
    for (const { endpoint } of [caller, platform]) void left.destroyEndpoint(endpoint)
    const recordingId = newId()
    if (request.isRecorded) this.#recording = this.#newRecording(recordingId)
    const offers = { caller: this.#caller.localSdp, platform: this.#platform.localSdp }
    this.#onMoved({ recordingId, movedAtMs, offers, before })
    await this.#bridgeWith(this.#platform)
    await this.startRecording()
    await this.#recording?.answered(movedAtMs).catch(() => undefined)
  }

  #giveUp(reason: string): void {
    if (this.#closed !== undefined) return
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
      return await settleWithin(work, { clock: this.#options.clock, withinMs, what })
    } catch (error) {
      if (error instanceof TallenneError) throw error
      throw new TallenneError('no_media', messageOf(error), { cause: error })
    }
  }
}

/** Endpoints for both parties of a call, or none. */
async function openPair(server: FreeswitchServer) {
  const forCaller = await server.createEndpoint(null)
  try {
    return { forCaller, forPlatform: await server.createEndpoint(null) }
  } catch (error) {
    await server.destroyEndpoint(forCaller.endpoint)
    throw error
  }
}

/** A leg in the place of one whose party it is to take over. */
function followed(left: Leg, opened: OpenedEndpoint): Leg {
  const localSdp = continuing(left.localSdp, opened.localSdp)
  return { endpoint: opened.endpoint, localSdp, remoteSdp: undefined }
}

function directionOf(sdp: string): SdpDirection {
  const reading = readSdpOffer(sdp)
  if (reading.kind !== 'offer') return 'sendrecv'
  const audio = reading.offer.media.find(({ kind, port }) => kind === 'audio' && port > 0)
  if (audio === undefined) return 'inactive'
  return audio.isHeld ? 'inactive' : audio.direction
}
