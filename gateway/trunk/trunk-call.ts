import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { maskNumber } from '../../base/mask-number.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { TrunkRoute, TrunkTarget } from '../../config/trunk-config.ts'
import type { ReasonCode, RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { CallEvents } from '../calls/call-events.ts'
import type { ContactRecord } from '../calls/contact-record.ts'
import { type FinishedRecording, finishRecording } from '../calls/finish-recording.ts'
import type { RecordingFiles } from '../calls/recording-files.ts'
import type { Party, RecordingStatus, TrunkMedia, TrunkMediaPlane } from '../media/trunk-media.ts'
import {
  agreeOnTimer,
  SessionTimer,
  type TimerAgreement,
  type TimerLimits,
  timerHeaders,
} from '../sip/session-timer.ts'
import type { SipDialog, SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { CARRIED_RESPONSE_HEADERS, carriedHeaders } from './carried-headers.ts'
import { isTargetFault, refusalFor } from './failover.ts'
import { JoinedCall, type JoinedDialog } from './joined-call.ts'
import type { CallMaker, PlatformDialog, TrunkFramework } from './outgoing-call.ts'
import { tryTarget } from './try-target.ts'

/** Moves forward only. */
export type TrunkCallState = 'opening' | 'announcing' | 'passing' | 'joined' | 'ending' | 'ended'

export interface TrunkCallOptions {
  readonly request: SipRequest
  readonly response: SipResponse
  readonly route: TrunkRoute
  /** In the order in which they are tried. */
  readonly targets: readonly TrunkTarget[]
  readonly dialled: string
  readonly recordingId: string
  readonly contact: ContactRecord
  readonly framework: Pick<TrunkFramework, 'createUAS'> & CallMaker
  readonly plane: TrunkMediaPlane
  readonly files: RecordingFiles
  readonly timer: TimerLimits
  readonly announcementPath: string | undefined
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
  /** What a target made of the call, for the judgement of targets. */
  readonly onTarget: (target: TrunkTarget, isThere: boolean) => void
  readonly onRecordingLost: (code: string) => void
  readonly onEnded: () => void
}

const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, PRACK, REFER, NOTIFY, MESSAGE'
const RETRY_AFTER_S = 5

/**
 * One inline call: two dialogs, joined, with the media anchored between them and recorded on the way.
 *
 * Recording never costs the call unless its route says so: whatever fails there is told in the contact and goes on.
 */
export class TrunkCall {
  readonly #options: TrunkCallOptions
  readonly #log: Log
  readonly #giveUp = new AbortController()
  readonly #arrivedAtMs: number
  readonly #timers: Partial<Record<Party, { timer: SessionTimer; agreement: TimerAgreement }>> = {}
  #state: TrunkCallState = 'opening'
  #media: TrunkMedia | undefined
  #joined: JoinedCall | undefined
  #setupMs: number | undefined
  #target: string | undefined
  #end: Promise<void> | undefined

  constructor(options: TrunkCallOptions) {
    this.#options = options
    this.#arrivedAtMs = options.clock.monotonicMs()
    this.#log = options.log.child({
      callId: options.contact.callId,
      contactId: options.contact.contactId,
      recordingId: options.recordingId,
      route: options.route.name,
    })
  }

  get state(): TrunkCallState {
    return this.#state
  }

  get contact(): ContactRecord {
    return this.#options.contact
  }

  get recordingId(): string {
    return this.#options.recordingId
  }

  get #isEnding(): boolean {
    return this.#end !== undefined
  }

  /** Passes the call on. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#run()
    } catch (error) {
      this.#log.error({ err: error }, 'trunk call failed')
      this.#refuse(500, 'Server Internal Error')
    }
  }

  /** Ends the call on both sides and resolves when the recording has its verdict. Idempotent. */
  end(endReason: string, reasons: readonly ReasonCode[] = []): Promise<void> {
    this.#end ??= this.#finish(endReason, reasons).catch((error: unknown) => {
      this.#log.error({ err: error, endReason }, 'trunk call could not be ended in order')
    })
    return this.#end
  }

  async #run(): Promise<void> {
    const { request, route } = this.#options
    request.on('cancel', () => {
      this.#giveUp.abort(request.get('Reason'))
      void this.end('cancelled')
    })
    const hopsLeft = Number(request.get('Max-Forwards') ?? '70')
    if (!(hopsLeft > 1)) return this.#refuse(483, 'Too Many Hops')
    const agreement = agreeOnTimer(request, this.#options.timer)
    if (agreement.kind === 'too_short') {
      return this.#refuse(422, 'Session Interval Too Small', { 'Min-SE': `${agreement.minS}` })
    }
    const media = await this.#openMedia()
    if (!media || this.#isEnding) return
    if (route.recording === 'require' && media.status.kind !== 'recording') {
      return this.#refuse(503, 'Recording Unavailable', { 'Retry-After': `${RETRY_AFTER_S}` })
    }
    await this.#announce(media)
    if (this.#isEnding) return
    this.#state = 'passing'
    const dialog = await this.#passOn(media, hopsLeft - 1)
    if (dialog) await this.#join(media, dialog, agreement)
  }

  async #openMedia(): Promise<TrunkMedia | undefined> {
    const { plane, request, route, recordingId, contact } = this.#options
    try {
      const media = await plane.open({
        recordingId,
        callId: contact.callId,
        callerOffer: request.body ? request.body : null,
        isRecorded: route.recording !== 'off',
        isRecordingRequired: route.recording === 'require',
      })
      this.#media = media
      this.#noteStatus(media.status)
      media.onStatusChange((status) => this.#noteStatus(status))
      media.onLost((reason) => {
        this.#log.error({ reason }, 'media of the call is lost')
        void this.end('media_lost', ['engine_failed'])
      })
      // The caller may have hung up meanwhile, when there was nothing yet to release.
      if (this.#isEnding) await media.close(this.#options.clock.epochMs(), [])
      return media
    } catch (error) {
      const code = error instanceof TallenneError ? error.code : 'no_media'
      this.#log.warn({ code, reason: messageOf(error) }, 'call refused for want of media')
      if (code === 'unusable_offer') this.#refuse(488, 'Not Acceptable Here')
      else this.#refuse(503, 'Service Unavailable', { 'Retry-After': `${RETRY_AFTER_S}` })
      return undefined
    }
  }

  #noteStatus(status: RecordingStatus): void {
    if (status.kind !== 'unavailable') return
    this.#log.error({ code: status.code, reason: status.message }, 'call goes on unrecorded')
    this.#options.onRecordingLost(status.code)
  }

  async #announce(media: TrunkMedia): Promise<void> {
    const { announcementPath, response } = this.#options
    if (announcementPath === undefined) return
    this.#state = 'announcing'
    try {
      await media.announce(announcementPath, {
        cancel: this.#giveUp.signal,
        onAnswer: (sdp) => this.#provisional(183, 'Session Progress', { body: sdp }),
      })
    } catch (error) {
      this.#log.error(
        { reason: messageOf(error), response: response.status },
        'announcement failed',
      )
    }
  }

  /** The dialog with the first target that answers; undefined where none does and the caller was told. */
  async #passOn(media: TrunkMedia, maxForwards: number): Promise<PlatformDialog | undefined> {
    const { route, targets, framework, clock, onTarget } = this.#options
    let lastStatus: number | undefined
    let lastResponse: SipResponse | undefined
    for (const target of targets) {
      const localSdp = await media.offerForPlatform()
      let provisionals = Promise.resolve()
      const outcome = await tryTarget(
        {
          target,
          uri: uriFor(target, this.#options.dialled),
          localSdp,
          headers: this.#headersFor(target, maxForwards),
          responseTimeoutS: route.responseTimeoutS,
          ringTimeoutS: route.ringTimeoutS,
          giveUp: this.#giveUp.signal,
          onProvisional: (provisional) => {
            // In order, since the media plane may take its time over the first SDP.
            provisionals = provisionals.then(() => this.#passProvisional(media, provisional))
          },
        },
        { calls: framework, clock },
      )
      await provisionals
      switch (outcome.kind) {
        case 'answered':
          onTarget(target, true)
          this.#target = target.uri
          return outcome.dialog
        case 'cancelled':
          return undefined
        case 'silent':
          onTarget(target, false)
          lastStatus = 408
          break
        case 'refused':
          onTarget(target, !isTargetFault(outcome.status))
          lastStatus = outcome.status
          lastResponse = outcome.response
          break
      }
      this.#log.warn({ target: target.uri, status: lastStatus }, 'target did not take the call')
      if (!isTargetFault(lastStatus)) break
    }
    const status = refusalFor(lastStatus)
    this.#refuse(status, '', lastResponse ? carriedFrom(lastResponse) : {})
    return undefined
  }

  async #passProvisional(media: TrunkMedia, provisional: SipResponse): Promise<void> {
    if (this.#isEnding || this.#state !== 'passing') return
    try {
      const body = provisional.body ? await media.answerFromPlatform(provisional.body) : undefined
      this.#provisional(provisional.status, '', {
        headers: carriedFrom(provisional),
        ...(body === undefined ? {} : { body }),
      })
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'early media could not be joined')
    }
  }

  #provisional(
    status: number,
    reason: string,
    { headers = {}, body }: { readonly headers?: SipHeaders; readonly body?: string },
  ): void {
    const { request, response } = this.#options
    if (response.finalResponseSent) return
    // Reliably only where the caller insists; the SIP server numbers it and takes the PRACK (RFC 3262 §3).
    const isReliable = /\b100rel\b/i.test(request.get('Require') ?? '')
    response.send(status, reason, {
      headers: {
        ...headers,
        ...(isReliable && { Require: '100rel' }),
        ...(body !== undefined && { 'Content-Type': 'application/sdp' }),
      },
      ...(body === undefined ? {} : { body }),
    })
  }

  async #join(
    media: TrunkMedia,
    platform: PlatformDialog,
    agreement: TimerAgreement,
  ): Promise<void> {
    const { request, response, framework, clock, contact, events, route } = this.#options
    if (this.#isEnding) {
      void platform.destroy().catch(() => {})
      return
    }
    const platformSdp = await media.offerForPlatform()
    const callerSdp = await media.answerFromPlatform(platform.remote.sdp)
    const answeredAtMs = clock.epochMs()
    media.answered(answeredAtMs).catch(() => undefined)
    framework.createUAS(
      request,
      response,
      {
        localSdp: callerSdp,
        headers: {
          ...carriedFrom(platform.res),
          ...timerHeaders(agreement),
          Allow: ALLOW,
          'Content-Type': 'application/sdp',
        },
      },
      (failure, caller) => {
        if (!caller || this.#isEnding) {
          this.#log.warn({ reason: messageOf(failure) }, 'caller was gone before the answer')
          void platform.destroy().catch(() => {})
          void caller?.destroy().catch(() => {})
          void this.end('cancelled')
          return
        }
        this.#state = 'joined'
        this.#setupMs = clock.monotonicMs() - this.#arrivedAtMs
        events.answered(this.#setupMs)
        contact.answered(answeredAtMs)
        if (route.recording !== 'off') contact.recordingStarted(this.recordingId, answeredAtMs)
        this.#startTimers({ caller: agreement, platform: platformTimer(platform.res) })
        this.#joined = new JoinedCall({
          caller: asJoined(caller),
          platform: asJoined(platform),
          media,
          localSdp: { caller: callerSdp, platform: platformSdp },
          onRefreshed: (party) => this.#refreshed(party),
          onHungUp: (party, bye) => void this.end(endReasonOf(party, bye)),
          log: this.#log,
        })
        if (!request.body) this.#awaitCallerAnswer(media, caller)
      },
    )
  }

  /** The INVITE had no offer, so the answer to ours comes with the ACK (RFC 3261 §13.2.1). */
  #awaitCallerAnswer(media: TrunkMedia, caller: SipDialog): void {
    let isTaken = false
    caller.on('ack', (ack) => {
      if (isTaken) return
      isTaken = true
      media.takeAnswer('caller', ack.body ?? '').catch((error: unknown) => {
        this.#log.warn({ reason: messageOf(error) }, 'caller’s answer cannot be taken')
        this.#joined?.end({})
        void this.end('no_answer_in_ack')
      })
    })
  }

  #startTimers(agreements: Readonly<Record<Party, TimerAgreement>>): void {
    for (const party of ['caller', 'platform'] as const) {
      const timer = new SessionTimer({
        clock: this.#options.clock,
        probeEveryS: this.#options.timer.expiresS / 2,
        events: {
          onRefreshDue: () => this.#joined?.refresh(party),
          onProbeDue: () => this.#joined?.refresh(party),
          onExpired: () => void this.end('session_expired', ['session_expired']),
        },
      })
      const agreement = agreements[party]
      timer.restart(agreement)
      this.#timers[party] = { timer, agreement }
    }
  }

  #refreshed(party: Party): void {
    const kept = this.#timers[party]
    kept?.timer.restart(kept.agreement)
  }

  #headersFor(target: TrunkTarget, maxForwards: number): SipHeaders {
    const { request, dialled, timer } = this.#options
    const extensionNames = Object.keys(request.headers).filter((name) => /^x-/i.test(name))
    const from = request.getParsedHeader('from')
    const display = from.name ? `${from.name} ` : ''
    const user = /^sips?:([^@;]+)@/i.exec(from.uri)?.[1] ?? 'anonymous'
    return {
      ...carriedHeaders((name) => request.get(name), {
        isTrusted: target.isTrusted,
        extensionNames,
      }),
      From: `${display}<sip:${user}@localhost>`,
      To: `<${uriFor(target, dialled).replace(/;.*$/, '')}>`,
      Contact: `<sip:${user}@localhost${transportOf(target.uri)}>`,
      Allow: ALLOW,
      Supported: 'timer, 100rel, replaces',
      'Session-Expires': `${timer.expiresS}`,
      'Min-SE': `${timer.minS}`,
      'Max-Forwards': `${maxForwards}`,
      'Content-Type': 'application/sdp',
    }
  }

  #refuse(status: number, reason: string, headers: SipHeaders = {}): void {
    const { response } = this.#options
    if (!response.finalResponseSent) response.send(status, reason, { headers })
    void this.end(`refused_${status}`)
  }

  async #finish(endReason: string, reasons: readonly ReasonCode[]): Promise<void> {
    const { clock, response, events, onEnded, contact } = this.#options
    const endedAtMs = clock.epochMs()
    this.#state = 'ending'
    if (!this.#giveUp.signal.aborted) this.#giveUp.abort()
    for (const kept of Object.values(this.#timers)) kept.timer.stop()
    if (endReason === 'cancelled' && !response.finalResponseSent) {
      response.send(487, 'Request Terminated', {})
    }
    this.#joined?.end({})
    const recording = await this.#closeMedia(endedAtMs, reasons)
    contact.ended(endedAtMs, endReason)
    this.#state = 'ended'
    events.ended(endReason)
    this.#report(endReason, recording)
    onEnded()
  }

  async #closeMedia(
    endedAtMs: number,
    reasons: readonly ReasonCode[],
  ): Promise<FinishedRecording | undefined> {
    const { contact, route, events } = this.#options
    if (!this.#media) return undefined
    const status = this.#media.status
    const closed = await this.#media.close(endedAtMs, reasons)
    if (contact.answeredAtMs === undefined || route.recording === 'off') return undefined
    const outcome = closed ?? this.#unrecorded(endedAtMs, status)
    const recording = await finishRecording(outcome, this.#options)
    contact.recordingEnded(recording.outcome, recording.file)
    events.judged(recording.outcome)
    return recording
  }

  /** The verdict of a call that went on without a recording: the contact row says so. */
  #unrecorded(endedAtMs: number, status: RecordingStatus): RecordingOutcome {
    const answeredAtMs = this.contact.answeredAtMs ?? endedAtMs
    this.#log.warn({ status: status.kind }, 'call went on without a recording')
    return {
      recordingId: this.recordingId,
      verdict: 'failed',
      reasons: ['engine_failed'],
      durationMs: 0,
      callDurationMs: endedAtMs - answeredAtMs,
      startedAtMs: answeredAtMs,
      lostMs: endedAtMs - answeredAtMs,
      lossMap: [],
      bytes: 0,
      sha256: null,
      streams: [],
    }
  }

  /** The one line that says everything of a call. */
  #report(endReason: string, recording: FinishedRecording | undefined): void {
    const { request, contact } = this.#options
    const outcome = recording?.outcome
    this.#log.info(
      {
        peer: `${request.source_address}:${request.source_port}`,
        transport: request.protocol,
        caller: maskNumber(contact.facts.caller.display),
        serviceNumber: contact.facts.serviceNumber.display,
        serviceLine: contact.facts.serviceLine,
        target: this.#target ?? null,
        endReason,
        setupMs: this.#setupMs === undefined ? null : Math.round(this.#setupMs * 10) / 10,
        verdict: outcome?.verdict ?? null,
        reasons: outcome?.reasons ?? [],
        callDurationMs: outcome?.callDurationMs ?? 0,
        durationMs: outcome?.durationMs ?? 0,
        lostMs: outcome?.lostMs ?? 0,
        bytes: outcome?.bytes ?? 0,
        file: recording?.file ?? null,
        streams: outcome?.streams ?? [],
      },
      'call ended',
    )
  }
}

/** The target's URI with the dialled number where it names no user. */
export function uriFor(target: TrunkTarget, dialled: string): string {
  return target.uri.includes('@')
    ? target.uri
    : target.uri
        .replace(/^(sips?:)/, (scheme) => `${scheme}${encodeURIComponent(dialled)}@`)
        .replace('%2B', '+')
}

function transportOf(uri: string): string {
  return /;transport=\w+/i.exec(uri)?.[0] ?? ''
}

/** On this leg the gateway is the UAC, so a refresher `uac` is ourselves; `SessionTimer` speaks as the UAS. */
function platformTimer(response: SipResponse): TimerAgreement {
  const header = response.get('Session-Expires')
  const expiresS = Number(/^\s*(\d{1,9})/.exec(header ?? '')?.[1])
  if (!(expiresS > 0)) return { kind: 'none' }
  const refresher = /refresher\s*=\s*uas/i.test(header ?? '') ? 'uac' : 'uas'
  return { kind: 'agreed', expiresS, refresher, isKnownToPeer: true }
}

function carriedFrom(response: SipResponse): SipHeaders {
  const headers: Record<string, string> = {}
  for (const name of CARRIED_RESPONSE_HEADERS) {
    const value = response.get(name)
    if (value !== undefined && value !== '') headers[name] = value
  }
  return headers
}

function asJoined(dialog: SipDialog): JoinedDialog {
  // One object with two forms of `request`; the surface that receives calls declares the promise alone.
  return dialog as unknown as JoinedDialog
}

function endReasonOf(party: Party, bye: SipRequest): string {
  if (bye.source === 'application') return 'no_ack'
  return party === 'caller' ? 'bye' : 'platform_bye'
}
