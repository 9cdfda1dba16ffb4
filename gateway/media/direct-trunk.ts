import type { Clock } from '../../base/clock.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { newId } from '../../base/uuid.ts'
import type {
  RecordingOutcome,
  RecordingPlan,
  StreamPlan,
  StreamPort,
} from '../../recorder/recording-plan.ts'
import { type MediaCapabilities, usableFormats } from '../siprec/media-capabilities.ts'
import type { SdpFormat } from '../siprec/sdp-offer.ts'
import type { DirectPlane } from './direct-plane.ts'
import {
  choosePassedFormats,
  type PartyDescription,
  readPartyDescription,
} from './party-description.ts'
import { TrunkLeg } from './trunk-leg.ts'
import {
  type MovedMedia,
  otherOf,
  type Party,
  type RecordingStatus,
  type TrunkMedia,
  type TrunkMediaRequest,
} from './trunk-media.ts'
import { planTrunkStreams } from './trunk-streams.ts'
import type { AudioLine } from './write-description.ts'

/** What one call needs of its plane. */
export interface DirectTrunkOptions {
  readonly plane: DirectPlane
  readonly capabilities: MediaCapabilities
  readonly clock: Clock
  /** Told once, when the media is released. */
  readonly onClosed: () => void
}

const TELEPHONE_EVENT: SdpFormat = {
  payloadType: 101,
  encoding: 'telephone-event',
  clockRate: 8000,
  channels: 1,
  fmtp: '0-15',
}

/**
 * One trunk call's media on an engine. What a party is told is what the other one said, with our addresses in it; so
 * codecs, hold and packet times are agreed between the parties themselves.
 */
export class DirectTrunk implements TrunkMedia {
  readonly #options: DirectTrunkOptions
  readonly #request: TrunkMediaRequest
  readonly #legs: Record<Party, TrunkLeg> = { caller: new TrunkLeg(), platform: new TrunkLeg() }
  /** The platform party that the call was offered to last, until it answers: the one before stays in force. */
  #candidate = new TrunkLeg()
  #recordingId: string
  #ports: Readonly<Record<Party, StreamPort>> | undefined
  #status: RecordingStatus
  #wasUnrecordable = false
  /** A party's new offer, until the other one has answered it. */
  #offered: PartyDescription | undefined
  #answered: { readonly from: string; readonly text: string } | undefined
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
  }

  get recordingId(): string {
    return this.#recordingId
  }

  get status(): RecordingStatus {
    return this.#status
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
    if (callerOffer !== null) {
      const offer = readPartyDescription(callerOffer, 'unusable_offer')
      this.#requireRecordable(offer)
      this.#legs.caller.hear(offer)
    }
    await this.#openRecording()
  }

  async offerForPlatform(): Promise<string> {
    const { caller } = this.#legs
    this.#candidate = new TrunkLeg()
    this.#answered = undefined
    const text = this.#candidate.writeFirst(
      caller.theirs === undefined ? this.#ownAudio() : this.#audioFrom(caller.theirs),
      this.#portOf('platform'),
      caller.theirs,
    )
    // Media may come before the answer that announces it (RFC 3264 §5.1).
    if (this.#legs.platform.theirs === undefined) {
      this.#legs.platform = this.#candidate
      this.#apply()
    }
    return text
  }

  async answerFromPlatform(sdp: string): Promise<string> {
    if (this.#answered?.from === sdp) return this.#answered.text
    const answer = readPartyDescription(sdp, 'unusable_answer')
    const { caller } = this.#legs
    this.#candidate.hear(answer)
    this.#legs.platform = this.#candidate
    const audio = this.#audioFrom(answer)
    const port = this.#portOf('caller')
    const text = caller.write(audio, port, caller.theirs ?? 'kept')
    this.#apply()
    this.#answered = { from: sdp, text }
    return text
  }

  async takeAnswer(party: Party, sdp: string): Promise<void> {
    this.#legs[party].hear(readPartyDescription(sdp, 'unusable_answer'))
    this.#apply()
  }

  async reofferFrom(party: Party, sdp: string): Promise<string> {
    const offer = readPartyDescription(sdp, 'unusable_offer')
    this.#requireRecordable(offer)
    this.#offered = offer
    const other = otherOf(party)
    return this.#legs[other].write(this.#audioFrom(offer), this.#portOf(other), 'kept')
  }

  async reanswerTo(party: Party, sdp: string): Promise<string> {
    const answer = readPartyDescription(sdp, 'unusable_answer')
    const leg = this.#legs[party]
    if (this.#offered !== undefined) leg.hear(this.#offered)
    this.#offered = undefined
    this.#legs[otherOf(party)].hear(answer)
    const text = leg.write(this.#audioFrom(answer), this.#portOf(party), leg.theirs ?? 'kept')
    this.#apply()
    return text
  }

  async announce(
    file: string,
    {
      onAnswer,
      cancel,
    }: { readonly onAnswer: (sdp: string) => void; readonly cancel: AbortSignal },
  ): Promise<void> {
    const { caller } = this.#legs
    const usable = usableFormats(caller.theirs?.audio.formats ?? [], this.#options.capabilities)
    const format = usable.formats[0]
    if (caller.theirs === undefined || format === undefined) {
      throw new TallenneError('no_announcement', 'the caller offers no codec to play it in')
    }
    const audio = { ...this.#audioFrom(caller.theirs), direction: 'sendrecv' as const }
    onAnswer(caller.write(audio, this.#portOf('caller'), caller.theirs))
    if (cancel.aborted) return
    await this.#options.plane.play(this.#recordingId, { streamId: 'caller', file, format }, cancel)
  }

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
      offers: {
        caller: this.#legs.caller.rewrite(this.#portOf('caller')) ?? '',
        platform: this.#legs.platform.rewrite(this.#portOf('platform')) ?? '',
      },
      before: before.then((outcome) => (this.#request.isRecorded ? outcome : null)),
    })
  }

  async #openRecording(): Promise<void> {
    const plan: RecordingPlan = {
      recordingId: this.#recordingId,
      callId: this.#request.callId,
      streams: this.#plans(),
    }
    const [caller, platform] = await this.#options.plane.open(plan)
    if (caller === undefined || platform === undefined) {
      throw new TallenneError('no_ports', 'the engine gave no port for each party')
    }
    this.#ports = { caller, platform }
    this.#options.plane.onStopped(this.#recordingId, (code) =>
      this.#setStatus({ kind: 'unavailable', code, message: 'the engine records no more' }),
    )
    this.#judgeCodec()
  }

  /**
   * Tells the engine, which takes orders one after the other; nobody waits for it, since what the parties are told
   * does not depend on it. An engine that is gone is told of by `mediaLost`.
   */
  #apply(): void {
    if (this.#isClosed) return
    this.#options.plane.update(this.#recordingId, this.#plans()).catch(() => undefined)
    this.#judgeCodec()
  }

  #plans(): readonly StreamPlan[] {
    return planTrunkStreams(this.#legs, {
      capabilities: this.#options.capabilities,
      isRecorded: this.#request.isRecorded && !this.#isUnrecordable,
    })
  }

  /** Whether what the parties agreed on is beyond the recorder; the platform's word counts before the caller's. */
  get #isUnrecordable(): boolean {
    const agreed = this.#legs.platform.theirs ?? this.#legs.caller.theirs
    return agreed !== undefined && !this.#formatsOf(agreed).isRecordable
  }

  #judgeCodec(): void {
    if (!this.#request.isRecorded) return
    if (this.#isUnrecordable) {
      if (this.#isAnswered || this.#legs.platform.theirs !== undefined) this.#wasUnrecordable = true
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

  #requireRecordable(description: PartyDescription): void {
    if (!this.#request.isRecordingRequired || this.#formatsOf(description).isRecordable) return
    throw new TallenneError('unusable_offer', 'no codec of the offer can be recorded')
  }

  #formatsOf(description: PartyDescription) {
    const { capabilities } = this.#options
    return choosePassedFormats(description, { capabilities, isRecorded: this.#request.isRecorded })
  }

  #audioFrom(description: PartyDescription): AudioLine {
    const { audio, attributes } = description
    return {
      protocol: audio.protocol,
      formats: this.#formatsOf(description).formats,
      ptimeMs: audio.ptimeMs,
      direction: audio.direction,
      isHeld: audio.isHeld,
      attributes,
    }
  }

  /** What is offered where the caller offers nothing. */
  #ownAudio(): AudioLine {
    const codecs = this.#options.capabilities.codecs.map(
      ({ payloadType, encoding, clockRate, channels }) => ({
        payloadType,
        encoding,
        clockRate,
        channels,
        fmtp: null,
      }),
    )
    return {
      protocol: 'RTP/AVP',
      formats: [...codecs, TELEPHONE_EVENT],
      ptimeMs: null,
      direction: 'sendrecv',
      isHeld: false,
      attributes: [],
    }
  }

  #portOf(party: Party): StreamPort {
    const port = this.#ports?.[party]
    if (port === undefined) throw new TallenneError('no_ports', 'the call has no media yet')
    return port
  }
}
