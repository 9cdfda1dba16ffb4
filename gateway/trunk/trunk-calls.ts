import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import { newId } from '../../base/uuid.ts'
import type { Config } from '../../config/config.ts'
import type { TrunkRoute } from '../../config/trunk-config.ts'
import type { LiveRecording } from '../../recorder/recording-plan.ts'
import type { ContactJournal } from '../../storage/model.ts'
import type { CallEvents } from '../calls/call-events.ts'
import { ContactRecord } from '../calls/contact-record.ts'
import type { LiveCall } from '../calls/live-call.ts'
import type { RecordingFiles } from '../calls/recording-files.ts'
import type { TrunkMediaPlane } from '../media/trunk-media.ts'
import type { TrunkFramework } from '../sip/call-maker.ts'
import type { InviteTaker } from '../sip/invite-router.ts'
import { readHeaders } from '../sip/read-headers.ts'
import { agreeOnTimer, type TimerLimits } from '../sip/session-timer.ts'
import type { SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { AddressReader } from '../siprec/address-reader.ts'
import type { Identification } from '../siprec/identification.ts'
import { dialogKey, MISSING, objectionTo } from './invite-objection.ts'
import { probeBy } from './probe-target.ts'
import { RouteTable } from './route-table.ts'
import { TargetHealth } from './target-health.ts'
import { orderTargets } from './target-order.ts'
import { TrunkCall, type TrunkCallOptions } from './trunk-call.ts'
import { dialledNumber, trunkFacts } from './trunk-facts.ts'
import type { JudgedTarget, TrunkEvents } from './trunk-metrics.ts'
import { TrunkRecording } from './trunk-recording.ts'

export interface TrunkCallsOptions {
  readonly nodeId: string
  readonly trunk: Config['trunk']
  readonly lines: Pick<Config, 'serviceLines' | 'catchAll'>
  readonly journal: ContactJournal
  /** By the name that a route gives. */
  readonly planes: Readonly<Partial<Record<TrunkRoute['media'], TrunkMediaPlane>>>
  readonly files: RecordingFiles
  /** How live recordings are now. */
  readonly recordings: () => Promise<readonly LiveRecording[]>
  readonly timer: TimerLimits
  /** Parties of a lost SIP server that send nothing for so long have hung up. */
  readonly orphanQuietMs: number
  readonly identification: Identification
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
  readonly trunkEvents: TrunkEvents
}

/** What passing calls on needs of one SIP server. */
export interface TrunkServer {
  readonly framework: TrunkFramework
  readonly isConnected: boolean
}

/** A peer that has not answered a BYE by then is left to find out by itself. */
const FAREWELL_MS = 1500
const LOOK_EVERY_MS = 2000
const LIVE_STATES = {
  opening: 'opening',
  announcing: 'opening',
  passing: 'answering',
  joined: 'established',
  ending: 'ending',
  ended: 'ended',
} as const

/** All trunk calls of the node. Refuses new ones while it drains; `drain` ends those that live. */
export class TrunkCalls {
  readonly #options: TrunkCallsOptions
  readonly #routes: RouteTable
  readonly #health: TargetHealth
  readonly #servers: TrunkServer[] = []
  /** By Call-ID and From tag, from the INVITE until the verdict. */
  readonly #calls = new Map<string, TrunkCall>()
  readonly #serverOf = new WeakMap<TrunkCall, TrunkServer>()
  #watch: Timer | undefined
  #isDraining = false

  constructor(options: TrunkCallsOptions) {
    this.#options = options
    const { trunk, clock, log } = options
    this.#routes = new RouteTable(trunk.routes)
    this.#health = new TargetHealth({
      ...trunk.keepAlive,
      uris: trunk.routes.flatMap((route) => route.targets.map(({ uri }) => uri)),
      probe: probeBy(() => this.#servers.find(({ isConnected }) => isConnected)?.framework),
      clock,
      log,
    })
  }

  /** How INVITEs of one SIP server become trunk calls. */
  takerFor(server: TrunkServer): InviteTaker {
    this.#servers.push(server)
    // A server that was away may have come back without the dialogs that it had, and tells of none of them.
    server.framework.on('connect', (failure) => {
      if (failure === null) for (const call of this.#callsOf(server)) call.serverReturned()
    })
    return { take: (request, response) => this.#take(request, response, server) }
  }

  /** Starts to judge targets, and to look after calls whose SIP server was lost. Idempotent. */
  start(): void {
    this.#health.start()
    this.#watch ??= this.#options.clock.every(LOOK_EVERY_MS, () => void this.#endOrphans())
  }

  get count(): number {
    return this.#calls.size
  }

  /** Every target of every route and whether it is up. */
  get judgements(): readonly JudgedTarget[] {
    return this.#options.trunk.routes.flatMap(({ name, targets }) =>
      targets.map(({ uri }, index) => ({ route: name, index, isUp: this.#health.isUp(uri) })),
    )
  }

  list(): readonly LiveCall[] {
    return [...this.#calls.values()].map(({ contact, recordingId, state }) => ({
      contactId: contact.contactId,
      recordingId,
      callId: contact.callId,
      state: LIVE_STATES[state],
      isHeld: false,
      startedAtMs: contact.startedAtMs,
      answeredAtMs: contact.answeredAtMs ?? null,
      caller: contact.facts.caller.display,
      serviceNumber: contact.facts.serviceNumber.display,
      serviceLine: contact.facts.serviceLine,
      agent: contact.facts.agent,
    }))
  }

  /**
   * Refuses new calls from now on, ends those that live on both legs with `shutdown`, and resolves when all have a
   * verdict and the parties have answered the BYE, or have had `FAREWELL_MS` for it.
   */
  async drain(): Promise<void> {
    this.#isDraining = true
    this.#health.close()
    this.#watch?.cancel()
    const calls = [...this.#calls.values()]
    await Promise.all(calls.map((call) => call.shutDown()))
    await Promise.race([
      Promise.all(calls.map((call) => call.farewell)),
      new Promise<void>((resolve) => this.#options.clock.after(FAREWELL_MS, resolve)),
    ])
  }

  #take(request: SipRequest, response: SipResponse, server: TrunkServer): boolean {
    const { identification, log } = this.#options
    try {
      const dialled = dialledNumber(request.uri, identification.region)
      const route = this.#routes.find({ peerAddress: request.source_address, dialled })
      if (route === undefined) return false
      this.#begin(route, { request, response, dialled, server })
    } catch (error) {
      log.error({ err: error, callId: request.get('Call-ID') }, 'INVITE failed')
      if (!response.finalResponseSent) response.send(500, 'Server Internal Error', {})
    }
    return true
  }

  #begin(
    route: TrunkRoute,
    invite: {
      readonly request: SipRequest
      readonly response: SipResponse
      readonly dialled: string
      readonly server: TrunkServer
    },
  ): void {
    const { request, response } = invite
    const { nodeId, journal, clock, events, lines, identification, timer } = this.#options
    const key = dialogKey(request)
    const hops = Number(request.get('Max-Forwards') ?? '70')
    const agreement = agreeOnTimer(request, timer)
    const objection = objectionTo(request, { hops, isKnown: this.#calls.has(key ?? ''), agreement })
    if (key === undefined || objection !== undefined) {
      const { status, reason, headers } = objection ?? MISSING
      response.send(status, reason, { headers })
      return
    }
    const contact = new ContactRecord({
      journal,
      nodeId,
      callId: request.get('Call-ID') ?? '',
      capture: 'trunk',
      startedAtMs: clock.epochMs(),
      facts: trunkFacts(request, { headers: readHeaders(request.raw), identification, lines }),
    })
    events.arrived()
    const call = this.#callOf(route, {
      ...invite,
      contact,
      agreement,
      hopsLeft: hops - 1,
      onEnded: () => this.#calls.delete(key),
    })
    this.#calls.set(key, call)
    this.#serverOf.set(call, invite.server)
    if (this.#isDraining) call.refuse(503, 'Shutting Down', { 'Retry-After': '30' })
    else void call.run()
  }

  /** A call that nobody can hang up any more is over when its parties have fallen silent. */
  async #endOrphans(): Promise<void> {
    const orphans = [...this.#calls.values()].filter((call) => call.isOrphaned)
    if (orphans.length === 0) return
    const { orphanQuietMs } = this.#options
    const live = await this.#options.recordings().catch(() => [])
    const quietMs = new Map(live.map((recording) => [recording.recordingId, recording.quietMs]))
    for (const call of orphans) {
      if ((quietMs.get(call.recordingId) ?? orphanQuietMs) < orphanQuietMs) continue
      void call.end('sip_server_lost')
    }
  }

  #callsOf(server: TrunkServer): readonly TrunkCall[] {
    return [...this.#calls.values()].filter((call) => this.#serverOf.get(call) === server)
  }

  #callOf(
    route: TrunkRoute,
    invite: Pick<
      TrunkCallOptions,
      'request' | 'response' | 'dialled' | 'contact' | 'agreement' | 'hopsLeft' | 'onEnded'
    > & { readonly server: TrunkServer },
  ): TrunkCall {
    const { planes, trunkEvents, log, lines, identification } = this.#options
    const { server, contact } = invite
    const plane = planes[route.media]
    if (plane === undefined) {
      throw new TallenneError('no_media_plane', `route ${route.name}: no ${route.media} plane runs`)
    }
    const numbers = lines.serviceLines.flatMap((line) => line.numbers)
    const addresses = new AddressReader(identification.region, numbers)
    return new TrunkCall({
      ...this.#options,
      ...invite,
      framework: server.framework,
      route,
      targets: orderTargets(route.targets, ({ uri }) => this.#health.isUp(uri), Math.random),
      recording: new TrunkRecording({
        ...this.#options,
        recordingId: newId(),
        contact,
        route,
        plane,
        log: log.child({ callId: contact.callId, contactId: contact.contactId }),
        onUnrecorded: (code) => trunkEvents.unrecorded(code),
      }),
      isServiceNumber: (address) => addresses.isServiceNumber(address),
      onTarget: (target, isThere) => {
        if (!isThere) trunkEvents.targetFailed(route.name)
        if (isThere) this.#health.tookCall(target.uri)
        else this.#health.leftCall(target.uri)
      },
    })
  }
}
