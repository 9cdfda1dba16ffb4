import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { TrunkRoute, TrunkTarget } from '../../config/trunk-config.ts'
import type { ReasonCode } from '../../recorder/recording-plan.ts'
import type { CallEvents } from '../calls/call-events.ts'
import type { ContactRecord } from '../calls/contact-record.ts'
import type { MovedMedia, TrunkMedia } from '../media/trunk-media.ts'
import type { CallMaker, PlatformDialog } from '../sip/call-maker.ts'
import { type TimerAgreement, type TimerLimits, timerHeaders } from '../sip/session-timer.ts'
import type {
  DialogMaker,
  SipDialog,
  SipHeaders,
  SipRequest,
  SipResponse,
} from '../sip/sip-surface.ts'
import { agentOf } from './agent-of.ts'
import { CallerResponses } from './caller-responses.ts'
import { JoinedCall } from './joined-call.ts'
import { carriedFrom, TRUNK_ALLOW } from './leg-headers.ts'
import { LegTimers, platformAgreement } from './leg-timers.ts'
import { type Passed, passOn } from './pass-on.ts'
import { reportCall } from './report-call.ts'
import { transfer } from './transfer.ts'
import type { TrunkRecording } from './trunk-recording.ts'

/** Moves forward only. */
export type TrunkCallState = 'opening' | 'announcing' | 'passing' | 'joined' | 'ending' | 'ended'

export interface TrunkCallOptions {
  readonly request: SipRequest
  readonly response: SipResponse
  readonly route: TrunkRoute
  /** In the order in which they are tried. */
  readonly targets: readonly TrunkTarget[]
  readonly dialled: string
  /** For the next hop. */
  readonly hopsLeft: number
  readonly contact: ContactRecord
  readonly recording: TrunkRecording
  readonly framework: DialogMaker & CallMaker
  readonly timer: TimerLimits
  readonly agreement: TimerAgreement
  /** Whether an address is a service number, and so nobody's who answers. */
  readonly isServiceNumber: (address: string) => boolean
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
  /** What a target made of the call, for the judgement of targets. */
  readonly onTarget: (target: TrunkTarget, isThere: boolean) => void
  readonly onEnded: () => void
}

const RETRY_AFTER_S = 5

/**
 * One inline call: two dialogs, joined, with the media anchored between them and recorded on the way.
 *
 * Recording never costs the call unless its route says so: whatever fails there is told in the contact and goes on.
 */
export class TrunkCall {
  readonly #options: TrunkCallOptions
  readonly #log: Log
  readonly #caller: CallerResponses
  readonly #timers: LegTimers
  readonly #giveUp = new AbortController()
  readonly #arrivedAtMs: number
  #state: TrunkCallState = 'opening'
  #joined: JoinedCall | undefined
  #target: TrunkTarget | undefined
  #setupMs: number | undefined
  #end: Promise<void> | undefined
  #farewell: Promise<void> | undefined
  #isTransferring = false
  #isOrphaned = false

  constructor(options: TrunkCallOptions) {
    this.#options = options
    this.#arrivedAtMs = options.clock.monotonicMs()
    const { callId, contactId } = options.contact
    this.#log = options.log.child({ callId, contactId, route: options.route.name })
    this.#caller = new CallerResponses(options)
    this.#timers = new LegTimers({
      clock: options.clock,
      limits: options.timer,
      onRefreshDue: (party) => void this.#joined?.refresh(party),
      onProbeDue: (party) => void this.#joined?.probe(party),
      onExpired: () => void this.end('session_expired', ['session_expired']),
    })
  }

  get state(): TrunkCallState {
    return this.#state
  }

  get contact(): ContactRecord {
    return this.#options.contact
  }

  get recordingId(): string {
    return this.#options.recording.recordingId
  }

  /** Resolves when both parties have answered our BYE, or at once where none was sent. Never rejects. */
  get farewell(): Promise<void> {
    return this.#farewell ?? Promise.resolve()
  }

  get #isEnding(): boolean {
    return this.#end !== undefined
  }

  /** Passes the call on. Never rejects. */
  async run(): Promise<void> {
    const { request } = this.#options
    try {
      request.on('cancel', () => void this.end('cancelled'))
      const media = await this.#openMedia()
      if (media === undefined || this.#isEnding) return
      await this.#announce(media)
      if (this.#isEnding) return
      this.#state = 'passing'
      const passed = await this.#passOn(media)
      if (passed.kind === 'refused') this.refuse(passed.status, '', passed.headers)
      if (passed.kind === 'answered') await this.#join(media, passed)
    } catch (error) {
      this.#log.error({ err: error }, 'trunk call failed')
      this.refuse(500, 'Server Internal Error')
    }
  }

  /** Refuses the INVITE and ends. */
  refuse(status: number, reason: string, headers: SipHeaders = {}): void {
    this.#caller.refuse(status, reason, headers)
    void this.end(`refused_${status}`)
  }

  /** Ends the call on both sides and resolves when the recording has its verdict. Idempotent. */
  end(endReason: string, reasons: readonly ReasonCode[] = []): Promise<void> {
    this.#end ??= this.#finish(endReason, reasons).catch((error: unknown) => {
      this.#log.error({ err: error, endReason }, 'trunk call could not be ended in order')
    })
    return this.#end
  }

  /** The node stops: both parties are told, or the caller alone where nobody has answered yet. */
  shutDown(): Promise<void> {
    if (this.#state !== 'joined') {
      this.#caller.refuse(503, 'Shutting Down', { 'Retry-After': '30' })
    }
    return this.end('shutdown', ['shutdown'])
  }

  /**
   * Whether the SIP server that held the call's dialogs was lost: nothing can be asked or heard of them any more,
   * while the parties may talk on.
   */
  get isOrphaned(): boolean {
    return this.#isOrphaned
  }

  /** The SIP server is back after it was away. A call that was not answered yet is over with its transactions. */
  serverReturned(): void {
    if (this.#joined === undefined) void this.end('sip_server_lost')
    else this.#isOrphaned = true
  }

  async #openMedia(): Promise<TrunkMedia | undefined> {
    const { request, recording } = this.#options
    try {
      const media = await recording.open(request.body ? request.body : null)
      media.onLost((reason) => {
        this.#log.error({ reason }, 'media of the call is lost')
        this.#caller.refuse(503, 'Service Unavailable', {})
        void this.end('media_lost', ['engine_failed'])
      })
      media.onMoved((moved) => this.#moved(moved))
      return media
    } catch (error) {
      const code = error instanceof TallenneError ? error.code : 'no_media'
      this.#log.warn({ code, reason: messageOf(error) }, 'call refused for want of media')
      if (code === 'unusable_offer') this.refuse(488, 'Not Acceptable Here')
      else this.refuse(503, 'Service Unavailable', { 'Retry-After': `${RETRY_AFTER_S}` })
      return undefined
    }
  }

  /** Plays the route's files in turn; one that cannot be played costs nothing but itself. */
  async #announce(media: TrunkMedia): Promise<void> {
    const files = this.#options.route.announcement?.files ?? []
    if (files.length > 0) this.#state = 'announcing'
    for (const file of files) {
      if (this.#isEnding) return
      try {
        await media.announce(file, {
          cancel: this.#giveUp.signal,
          onAnswer: (sdp) => this.#caller.announce(sdp),
        })
      } catch (error) {
        this.#log.error({ file, reason: messageOf(error) }, 'announcement not played')
      }
    }
  }

  #passOn(media: TrunkMedia): Promise<Passed> {
    return passOn({
      ...this.#options,
      calls: this.#options.framework,
      log: this.#log,
      giveUp: this.#giveUp.signal,
      offer: () => media.offerForPlatform(),
      onProvisional: async (response) => {
        if (!this.#isEnding) await this.#caller.passProvisional(response, media)
      },
    })
  }

  async #join(
    media: TrunkMedia,
    {
      dialog: platform,
      target,
      localSdp,
      answeredAtMs,
    }: Extract<Passed, { readonly kind: 'answered' }>,
  ): Promise<void> {
    const { request, response, framework, contact, agreement } = this.#options
    if (this.#isEnding) return void platform.destroy().catch(() => undefined)
    let callerSdp: string
    try {
      callerSdp = await media.answerFromPlatform(platform.remote.sdp ?? '')
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'platform’s answer cannot be taken')
      void platform.destroy().catch(() => undefined)
      return this.refuse(502, 'Bad Gateway')
    }
    this.#target = target
    // Told before the 200 leaves, so that the first packets find the timeline's zero set.
    media.answered(answeredAtMs).catch(() => undefined)
    framework.createUAS(
      request,
      response,
      {
        localSdp: callerSdp,
        headers: {
          ...carriedFrom(platform.res),
          ...timerHeaders(agreement),
          Allow: TRUNK_ALLOW,
          Supported: 'timer, replaces',
          'Content-Type': 'application/sdp',
        },
      },
      (failure, caller) => {
        if (caller === undefined || this.#isEnding) {
          this.#log.info({ reason: messageOf(failure) }, 'caller was gone before the answer')
          void platform.destroy().catch(() => undefined)
          void caller?.destroy().catch(() => undefined)
          return void this.end('cancelled')
        }
        contact.change(agentOf(platform.res, this.#options), answeredAtMs)
        this.#established(media, { caller, platform, callerSdp, localSdp, answeredAtMs })
      },
    )
  }

  #established(
    media: TrunkMedia,
    made: {
      readonly caller: SipDialog
      readonly platform: PlatformDialog
      readonly callerSdp: string
      readonly localSdp: string
      readonly answeredAtMs: number
    },
  ): void {
    const { request, clock, contact, events, recording, route, agreement } = this.#options
    const { caller, platform, callerSdp, localSdp, answeredAtMs } = made
    this.#state = 'joined'
    this.#setupMs = clock.monotonicMs() - this.#arrivedAtMs
    events.answered(this.#setupMs)
    contact.answered(answeredAtMs)
    recording.answered(answeredAtMs)
    this.#joined = new JoinedCall({
      caller,
      platform,
      media,
      localSdp: { caller: callerSdp, platform: localSdp },
      timers: this.#timers,
      onRefer:
        route.refer === 'handle'
          ? (refer, response) => void this.#transfer(media, refer, response)
          : undefined,
      onHungUp: (party, bye) => {
        const byName = party === 'caller' ? 'bye' : 'platform_bye'
        void this.end(bye.source === 'application' ? 'no_ack' : byName)
      },
      onGone: (endReason) =>
        void this.end(endReason, [
          endReason === 'media_lost' ? 'engine_failed' : 'session_expired',
        ]),
      clock,
      log: this.#log,
    })
    this.#timers.start('caller', agreement)
    this.#timers.start('platform', platformAgreement(platform.res))
    if (!request.body) void this.#takeLateAnswer(media, this.#joined)
  }

  /** The INVITE had no offer, so the answer to ours comes with the ACK (RFC 3261 §13.2.1). */
  async #takeLateAnswer(media: TrunkMedia, joined: JoinedCall): Promise<void> {
    try {
      await media.takeAnswer('caller', await joined.leg('caller').nextAck())
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'caller’s answer cannot be taken')
      void this.end('no_answer_in_ack')
    }
  }

  #moved(moved: MovedMedia): void {
    this.#log.warn({ recordingId: moved.recordingId }, 'media of the call goes on elsewhere')
    this.#options.recording.moved(moved)
    if (moved.offers !== null) void this.#joined?.move(moved.offers)
  }

  async #transfer(media: TrunkMedia, refer: SipRequest, response: SipResponse): Promise<void> {
    const { request, clock, contact, framework } = this.#options
    const joined = this.#joined
    const target = this.#target
    if (joined === undefined || target === undefined || this.#isTransferring) {
      return response.send(491, 'Request Pending', {})
    }
    this.#isTransferring = true
    const moved = await transfer(refer, response, {
      ...this.#options,
      leg: joined.leg('platform'),
      invite: request,
      target,
      media,
      calls: framework,
      log: this.#log,
      giveUp: this.#giveUp.signal,
    })
    this.#isTransferring = false
    if (moved === undefined) return
    if (this.#isEnding) return void moved.dialog.destroy().catch(() => undefined)
    contact.change(agentOf(moved.dialog.res, this.#options), clock.epochMs())
    this.#timers.start('platform', platformAgreement(moved.dialog.res))
    await joined.replacePlatform(moved.dialog, moved.localSdp)
  }

  async #finish(endReason: string, reasons: readonly ReasonCode[]): Promise<void> {
    const { clock, events, onEnded, contact, recording } = this.#options
    const endedAtMs = clock.epochMs()
    this.#state = 'ending'
    this.#giveUp.abort()
    this.#timers.stop()
    this.#farewell = this.#joined?.end({})
    const finished = await recording.close(endedAtMs, reasons)
    contact.ended(endedAtMs, endReason)
    this.#state = 'ended'
    events.ended(endReason)
    reportCall(this.#log, {
      ...this.#options,
      endReason,
      target: this.#target?.uri ?? null,
      setupMs: this.#setupMs,
      finished,
    })
    onEnded()
  }
}
