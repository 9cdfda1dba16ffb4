import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { TrunkTarget } from '../../config/trunk-config.ts'
import type { ReasonCode } from '../../recorder/recording-plan.ts'
import type { CallControl } from '../calls/call-control.ts'
import type { CallEvents } from '../calls/call-events.ts'
import type { ContactRecord } from '../calls/contact-record.ts'
import { reportEndedCall } from '../calls/report-ended-call.ts'
import type { MovedMedia, Party, TrunkMedia } from '../media/trunk-media.ts'
import type { TrunkFramework } from '../sip/call-maker.ts'
import type { SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { agentOf } from './agent-of.ts'
import { sourceOf } from './call-source.ts'
import { CallTransfers } from './call-transfers.ts'
import { CallerResponses } from './caller-responses.ts'
import { answerCallersUpdate } from './early-update.ts'
import { type FarSide, farTarget } from './far-side.ts'
import { JoinedCall } from './joined-call.ts'
import { reasonOf } from './joined-leg.ts'
import { LegTimers, platformAgreement } from './leg-timers.ts'
import type { NamedDialog } from './replaces.ts'
import { type CallSetupOptions, type EstablishedCall, setUpCall } from './set-up-call.ts'
import { settleWithCaller } from './settle-with-caller.ts'

const RETRY_LATER = { 'Retry-After': '5' }

/** Moves forward only. */
export type TrunkCallState = 'opening' | 'announcing' | 'passing' | 'joined' | 'ending' | 'ended'

export interface TrunkCallOptions extends Omit<CallSetupOptions, 'responses' | 'framework'> {
  readonly framework: TrunkFramework
  /** Parties of a lost SIP server that send nothing for so long have hung up. */
  readonly orphanQuietMs: number
  readonly contact: ContactRecord
  readonly control: CallControl
  /** Whether an address is a service number, and so nobody's who answers. */
  readonly isServiceNumber: (address: string) => boolean
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
  readonly onEnded: () => void
}

/**
 * One inline call: two dialogs, joined, with the media anchored between them and recorded on the way.
 *
 * Recording never costs the call unless its route says so: whatever fails there is told in the contact and goes on.
 */
export class TrunkCall {
  readonly #options: TrunkCallOptions
  readonly #log: Log
  readonly #responses: CallerResponses
  readonly #timers: LegTimers
  readonly #giveUp = new AbortController()
  readonly #arrivedAtMs: number
  #state: TrunkCallState = 'opening'
  #joined: JoinedCall | undefined
  #target: TrunkTarget | undefined
  #setupMs: number | undefined
  #end: Promise<void> | undefined
  #farewell: Promise<void> | undefined
  #media: TrunkMedia | undefined
  #framework: TrunkFramework
  #renewal: Promise<void> | undefined

  constructor(options: TrunkCallOptions) {
    this.#options = options
    this.#framework = options.framework
    this.#arrivedAtMs = options.clock.monotonicMs()
    const { callId, contactId } = options.contact
    this.#log = options.log.child({ callId, contactId, route: options.route.name })
    this.#responses = new CallerResponses(options)
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

  get control(): CallControl {
    return this.#options.control
  }

  get recordingId(): string {
    return this.#options.recording.recordingId
  }

  /** Resolves when both parties have answered our BYE, or at once where none was sent. Never rejects. */
  get farewell(): Promise<void> {
    return this.#farewell ?? Promise.resolve()
  }

  /** Passes the call on. Never rejects. */
  async run(): Promise<void> {
    const options = { ...this.#options, responses: this.#responses, log: this.#log }
    try {
      options.request.on('cancel', () => void this.end('cancelled'))
      options.request.on('update', answerCallersUpdate)
      const refusal = await setUpCall(
        options,
        {
          onMedia: (media) => this.#listenTo(media),
          onAnnouncing: () => this.#advance('announcing'),
          onPassing: () => this.#advance('passing'),
          onEstablished: (call) => this.#established(call),
          onCallerGone: () => void this.end('cancelled'),
          onPlatformGone: (bye) => this.#platformGone(bye),
        },
        this.#giveUp.signal,
      )
      if (refusal !== undefined) this.refuse(refusal.status, refusal.reason, refusal.headers)
    } catch (error) {
      this.#log.error({ err: error }, 'trunk call failed')
      // What cannot be had now may be had in a while.
      if (error instanceof TallenneError) this.refuse(503, 'Service Unavailable', RETRY_LATER)
      else this.refuse(500, 'Server Internal Error')
    }
  }

  /** Refuses the INVITE and ends. */
  refuse(status: number, reason: string, headers: SipHeaders = {}): void {
    this.#responses.refuse({ status, reason, headers })
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
      this.#responses.refuse({
        status: 503,
        reason: 'Shutting Down',
        headers: { 'Retry-After': '30' },
      })
    }
    return this.end('shutdown', ['shutdown'])
  }

  /** Whether a party has put the other on hold. */
  get isHeld(): boolean {
    return this.#state === 'joined' && (this.#media?.isHeld ?? false)
  }

  get isOrphaned(): boolean {
    return this.#joined?.isOrphaned ?? false
  }

  /** A call that was not answered yet is over with its transactions; the parties of another talk on. */
  serverLost(): void {
    // A renewal that was under way hears nothing any more.
    this.#renewal = undefined
    if (this.#joined === undefined) void this.end('sip_server_lost')
    else this.#joined.serverLost()
  }

  renew(framework: TrunkFramework): Promise<void> {
    this.#renewal ??= this.#renew(framework).finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  async #renew(framework: TrunkFramework): Promise<void> {
    if (!this.isOrphaned) return
    this.#framework = framework
    await this.#media?.renewSignalling(framework)
    await this.#joined?.renew(framework)
    if (!this.isOrphaned && this.#end === undefined) {
      this.#log.info('call goes on after its SIP server was lost')
    }
  }

  /** The far end of this call, where the name is that of one of its dialogs. */
  farSideOf(named: NamedDialog): FarSide | undefined {
    const far = this.#joined?.farSideOf(named)
    if (far === undefined) return undefined
    return { ...far, target: farTarget(far, this.#target) }
  }

  #advance(state: 'announcing' | 'passing'): void {
    if (this.#end === undefined) this.#state = state
  }

  #listenTo(media: TrunkMedia): void {
    this.#media = media
    media.onLost((reason) => {
      this.#log.error({ reason }, 'media of the call is lost')
      this.#responses.refuse({ status: 503, reason: 'Service Unavailable', headers: {} })
      void this.end('media_lost', ['engine_failed'])
    })
    media.onMoved((moved) => this.#moved(moved))
  }

  #platformGone(bye: SipRequest | undefined): void {
    // The joined call takes it from the turn on in which the caller was answered.
    if (this.#joined !== undefined || this.#end !== undefined) return
    const headers = reasonOf(bye)
    this.#responses.refuse({ status: 480, reason: 'Temporarily Unavailable', headers })
    void this.end(endReasonOf('platform', bye))
  }

  #established(call: EstablishedCall): void {
    const { route, request, clock, contact, control, events, recording, agreement } = this.#options
    const { dialog: platform, target, answeredAtMs } = call
    this.#state = 'joined'
    this.#target = target
    this.#setupMs = clock.monotonicMs() - this.#arrivedAtMs
    contact.change(agentOf(platform.res, this.#options), answeredAtMs)
    events.answered(sourceOf(route), this.#setupMs)
    contact.answered(answeredAtMs)
    recording.answered(answeredAtMs)
    const joined: JoinedCall = new JoinedCall({
      ...this.#options,
      ...call,
      platform,
      localSdp: { caller: call.callerSdp, platform: call.localSdp },
      timers: this.#timers,
      askEveryMs: this.#options.orphanQuietMs / 2,
      onRefer: this.#takerOfRefers(call, () => joined),
      onKey: (party, key) => control.pressed(party === 'caller' ? 'caller' : 'agent', key, 'info'),
      onHungUp: (party, bye) => void this.end(endReasonOf(party, bye)),
      onGone: (endReason) => {
        const reason = endReason === 'media_lost' ? 'engine_failed' : 'session_expired'
        void this.end(endReason, [reason])
      },
      clock,
      log: this.#log,
    })
    this.#joined = joined
    this.#timers.start('caller', agreement)
    this.#timers.start('platform', platformAgreement(platform.res))
    const parts = { call, request, responses: this.#responses, log: this.#log }
    void settleWithCaller(joined, parts).then((isTaken) => {
      if (!isTaken) void this.end('no_answer_in_ack')
    })
  }

  /** Undefined where the route leaves transfers to the other party. */
  #takerOfRefers({ media, target }: EstablishedCall, joined: () => JoinedCall) {
    const { route } = this.#options
    if (route.refer === 'pass') return undefined
    const transfers = new CallTransfers({
      ...this.#options,
      timers: this.#timers,
      media,
      calls: { createUAC: (...invite) => this.#framework.createUAC(...invite) },
      log: this.#log,
      giveUp: this.#giveUp.signal,
    })
    return (refer: SipRequest, response: SipResponse) =>
      void transfers.take(refer, response, { joined: joined(), target })
  }

  #moved(moved: MovedMedia): void {
    this.#log.warn({ recordingId: moved.recordingId }, 'media of the call goes on elsewhere')
    this.#options.recording.moved(moved)
    if (moved.offers !== null) void this.#joined?.move(moved.offers)
  }

  async #finish(endReason: string, reasons: readonly ReasonCode[]): Promise<void> {
    const { route, clock, events, onEnded, contact, recording } = this.#options
    const endedAtMs = clock.epochMs()
    this.#state = 'ending'
    this.#giveUp.abort()
    this.#timers.stop()
    this.#farewell = this.#joined?.end({})
    const finished = await recording.close(endedAtMs, reasons)
    this.#options.control.close()
    contact.ended(endedAtMs, endReason)
    this.#state = 'ended'
    events.ended(sourceOf(route), endReason)
    const told = {
      ...this.#options,
      source: sourceOf(route),
      recordingId: finished?.outcome.recordingId ?? null,
      target: this.#target?.uri ?? null,
      endedAtMs,
      endReason,
      setupMs: this.#setupMs,
      recording: finished,
    }
    void contact.written().then(() => reportEndedCall(this.#log, told))
    onEnded()
  }
}

/** A BYE of the SIP server's own comes where the 200 was never acknowledged. */
function endReasonOf(party: Party, bye: SipRequest | undefined): string {
  if (bye?.source === 'application') return 'no_ack'
  return party === 'caller' ? 'bye' : 'platform_bye'
}
