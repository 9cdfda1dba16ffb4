import type { Clock } from '../../base/clock.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { newId } from '../../base/uuid.ts'
import type { TargetSrtp } from '../../config/srtp-config.ts'
import type { RecordingOutcome, StreamPlan, StreamPort } from '../../recorder/recording-plan.ts'
import { withMasking } from '../calls/ordered-control.ts'
import type { MediaCapabilities } from '../siprec/media-capabilities.ts'
import type { DirectPlane } from './direct-plane.ts'
import { TrunkDescriptions } from './trunk-descriptions.ts'
import type {
  MovedMedia,
  Party,
  RecordingStatus,
  TrunkMedia,
  TrunkMediaRequest,
} from './trunk-media.ts'
import { planTrunkStreams } from './trunk-streams.ts'

/** What one call needs of its plane. */
export interface DirectTrunkOptions {
  readonly plane: DirectPlane
  readonly capabilities: MediaCapabilities
  readonly clock: Clock
  /** Told once, when the media is released. */
  readonly onClosed: () => void
}

/** One trunk call's media on an engine, which relays the parties' packets to each other and records them. */
export class DirectTrunk implements TrunkMedia {
  readonly #options: DirectTrunkOptions
  readonly #request: TrunkMediaRequest
  readonly #descriptions: TrunkDescriptions
  #recordingId: string
  #ports: Readonly<Record<Party, StreamPort>> | undefined
  #status: RecordingStatus
  #wasUnrecordable = false
  #isAnswered = false
  #isClosed = false
  #onStatusChange: (status: RecordingStatus) => void = () => {}
  #onLost: (reason: string) => void = () => {}
  #onMoved: ((moved: MovedMedia) => void) | undefined

  constructor(request: TrunkMediaRequest, options: DirectTrunkOptions) {
    this.#options = options
    this.#request = request
    this.#recordingId = request.recordingId
    this.#status = { kind: request.isRecorded ? 'recording' : 'off' }
    this.#descriptions = new TrunkDescriptions({
      ...request,
      capabilities: options.capabilities,
      portOf: (party) => this.#portOf(party),
    })
  }

  get recordingId(): string {
    return this.#recordingId
  }

  get status(): RecordingStatus {
    return this.#status
  }

  get isHeld(): boolean {
    return Object.values(this.#descriptions.legs).some(({ isHolding }) => isHolding)
  }

  onStatusChange(listener: (status: RecordingStatus) => void): void {
    this.#onStatusChange = listener
  }

  onLost(listener: (reason: string) => void): void {
    this.#onLost = listener
  }

  onMoved(listener: (moved: MovedMedia) => void): void {
    this.#onMoved = listener
  }

  async open(): Promise<void> {
    const { callerOffer } = this.#request
    if (callerOffer !== null) this.#descriptions.takeCallerOffer(callerOffer)
    await this.#openRecording()
  }

  async offerForPlatform(srtp: TargetSrtp = 'mirror'): Promise<string> {
    return this.#applied(this.#descriptions.offerForPlatform(srtp))
  }

  async answerFromPlatform(sdp: string): Promise<string> {
    return this.#applied(this.#descriptions.answerFromPlatform(sdp))
  }

  async takeAnswer(party: Party, sdp: string): Promise<void> {
    this.#applied(this.#descriptions.takeAnswer(party, sdp))
  }

  async reofferFrom(party: Party, sdp: string): Promise<string> {
    return this.#descriptions.reofferFrom(party, sdp)
  }

  async reanswerTo(party: Party, sdp: string): Promise<string> {
    return this.#applied(this.#descriptions.reanswerTo(party, sdp))
  }

  async announce(
    file: string,
    options: { readonly onAnswer: (sdp: string) => void; readonly cancel: AbortSignal },
  ): Promise<void> {
    const { onAnswer, cancel } = options
    const { sdp, format } = this.#descriptions.announceToCaller()
    onAnswer(sdp)
    if (cancel.aborted) return
    await this.#options.plane.play(this.#recordingId, { streamId: 'caller', file, format }, cancel)
  }

  /** The plane has no dialogs of its own. */
  async renewSignalling(): Promise<void> {}

  async answered(answeredAtMs: number): Promise<void> {
    this.#isAnswered = true
    await this.#options.plane.answered(this.#recordingId, answeredAtMs)
  }

  async close(
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome | null> {
    this.#isClosed = true
    this.#options.onClosed()
    const outcome = await this.#options.plane.close(
      this.#recordingId,
      endedAtMs,
      this.#wasUnrecordable ? [...reasons, 'unrecordable_codec'] : reasons,
    )
    return this.#request.isRecorded ? outcome : null
  }

  /** The engine died. An answered call goes on in another; one that is still being set up has no media any more. */
  async mediaLost(cause: string): Promise<void> {
    if (this.#isClosed) return
    if (!this.#isAnswered || this.#onMoved === undefined) return this.#onLost(cause)
    const { plane, clock } = this.#options
    const movedAtMs = clock.epochMs()
    const before = plane.close(this.#recordingId, movedAtMs, ['engine_failed'])
    this.#recordingId = newId()
    this.#descriptions.renewKeys()
    try {
      await this.#openRecording()
      await plane.answered(this.#recordingId, movedAtMs)
    } catch (error) {
      return this.#onLost(`${cause}; no other engine: ${messageOf(error)}`)
    }
    if (this.#isClosed) return void plane.close(this.#recordingId, movedAtMs, [])
    this.#onMoved({
      recordingId: this.#recordingId,
      movedAtMs,
      offers: this.#descriptions.rewrite(),
      before: before.then((outcome) => (this.#request.isRecorded ? outcome : null)),
    })
  }

  async #openRecording(): Promise<void> {
    const { plane } = this.#options
    const control = this.#request.control?.opening(this.#recordingId)
    const [caller, platform] = await plane.open({
      recordingId: this.#recordingId,
      callId: this.#request.callId,
      streams: this.#plans(),
      ...(control && { control }),
    })
    if (caller === undefined || platform === undefined) {
      throw new TallenneError('no_ports', 'the engine gave no port for each party')
    }
    this.#ports = { caller, platform }
    plane.onStopped(this.#recordingId, (code) =>
      this.#setStatus({ kind: 'unavailable', code, message: 'the engine records no more' }),
    )
    this.#judgeCodec()
  }

  /**
   * Tells the engine what the parties have agreed on since. It takes orders one after the other and nobody waits for
   * it, since what the parties are told does not depend on it. An engine that is gone is told of by `mediaLost`.
   */
  #applied<Told>(told: Told): Told {
    if (this.#isClosed) return told
    this.#options.plane.update(this.#recordingId, this.#plans()).catch(() => undefined)
    this.#judgeCodec()
    return told
  }

  #plans(): readonly StreamPlan[] {
    const { legs, isUnrecordable } = this.#descriptions
    const plans = planTrunkStreams(legs, {
      capabilities: this.#options.capabilities,
      isRecorded: this.#request.isRecorded && !isUnrecordable,
    })
    return withMasking(plans, this.#request.control)
  }

  #judgeCodec(): void {
    if (!this.#request.isRecorded) return
    const { isUnrecordable, legs } = this.#descriptions
    if (isUnrecordable) {
      if (this.#isAnswered || legs.platform.theirs !== undefined) this.#wasUnrecordable = true
      this.#setStatus({
        kind: 'unavailable',
        code: 'codec',
        message: 'the parties use no codec that can be recorded',
      })
    } else if (this.#status.kind === 'unavailable' && this.#status.code === 'codec') {
      this.#setStatus({ kind: 'recording' })
    }
  }

  #setStatus(status: RecordingStatus): void {
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return
    this.#status = status
    this.#onStatusChange(status)
  }

  #portOf(party: Party): StreamPort {
    const port = this.#ports?.[party]
    if (port === undefined) throw new TallenneError('no_ports', 'the call has no media yet')
    return port
  }
}
