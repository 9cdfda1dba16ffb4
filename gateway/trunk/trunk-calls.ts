import { settledWithin } from '../../base/settled-within.ts'
import type { Config } from '../../config/config.ts'
import type { TrunkRoute } from '../../config/trunk-config.ts'
import type { ContactJournal } from '../../storage/model.ts'
import { ContactRecord } from '../calls/contact-record.ts'
import type { LiveCall } from '../calls/live-call.ts'
import { type CallServer, ServedCalls, type ServedCallsOptions } from '../calls/served-calls.ts'
import type { TrunkFramework } from '../sip/call-maker.ts'
import type { InviteTaker } from '../sip/invite-router.ts'
import { identityByAddress, type ReadIdentity } from '../sip/peer-identity.ts'
import { readHeaders } from '../sip/read-headers.ts'
import { agreeOnTimer } from '../sip/session-timer.ts'
import type { SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { assembleCall, type CallParts } from './assemble-call.ts'
import { sourceOf } from './call-source.ts'
import type { FarSide } from './far-side.ts'
import { dialogKey, MISSING, objectionTo } from './invite-objection.ts'
import { liveTrunkCall } from './live-trunk-call.ts'
import { probeBy } from './probe-target.ts'
import type { NamedDialog } from './replaces.ts'
import { RouteTable } from './route-table.ts'
import { TargetHealth } from './target-health.ts'
import type { TrunkCall } from './trunk-call.ts'
import { dialledNumber, trunkFacts } from './trunk-facts.ts'
import type { JudgedTarget } from './trunk-metrics.ts'

export interface TrunkCallsOptions
  extends Omit<CallParts, 'health'>,
    Pick<ServedCallsOptions<TrunkCall>, 'recordings'> {
  readonly nodeId: string
  readonly trunk: Config['trunk']
  /** Whom a request came from; by its address alone where absent. */
  readonly identityOf?: ReadIdentity
  readonly journal: ContactJournal
}

/** What passing calls on needs of one SIP server. */
export interface TrunkServer extends CallServer {
  readonly framework: TrunkFramework & CallServer['framework']
}

/** A peer that has not answered a BYE by then is left to find out by itself. */
const FAREWELL_MS = 1500

/** All trunk calls of the node. Refuses new ones while it drains; `drain` ends those that live. */
export class TrunkCalls {
  readonly #options: TrunkCallsOptions
  readonly #routes: RouteTable
  readonly #health: TargetHealth
  /** By Call-ID and From tag, from the INVITE until the verdict. */
  readonly #calls = new Map<string, TrunkCall>()
  /** Call-IDs of our own, by the call that they belong to. */
  readonly #sent = new Map<string, TrunkCall>()
  readonly #served: ServedCalls<TrunkCall>
  #isDraining = false

  constructor(options: TrunkCallsOptions) {
    this.#options = options
    const { trunk, clock, log } = options
    this.#routes = new RouteTable(trunk.routes)
    this.#health = new TargetHealth({
      ...trunk.keepAlive,
      uris: trunk.routes.flatMap((route) => route.targets.map(({ uri }) => uri)),
      probe: probeBy(() => this.#served.connected?.framework),
      clock,
      log,
    })
    this.#served = new ServedCalls({
      ...options,
      calls: () => [...this.#calls.values()],
      quietMs: options.orphanQuietMs,
    })
  }

  /** How INVITEs of one SIP server become trunk calls. */
  takerFor(server: TrunkServer): InviteTaker {
    this.#served.add(server)
    return { take: (request, response) => this.#take(request, response, server) }
  }

  /** Starts to judge targets, and to look after calls whose SIP server was lost. Idempotent. */
  start(): void {
    this.#health.start()
    this.#served.start()
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
    return [...this.#calls.values()].map(liveTrunkCall)
  }

  /**
   * Refuses new calls from now on, ends those that live on both legs with `shutdown`, and resolves when all have a
   * verdict and the parties have answered the BYE, or have had `FAREWELL_MS` for it.
   */
  async drain(): Promise<void> {
    this.#isDraining = true
    this.#health.close()
    this.#served.close()
    const calls = [...this.#calls.values()]
    await Promise.all(calls.map((call) => call.shutDown()))
    const { clock } = this.#options
    const farewells = Promise.all(calls.map((call) => call.farewell))
    await settledWithin(farewells, { clock, limitMs: FAREWELL_MS })
  }

  #take(request: SipRequest, response: SipResponse, server: TrunkServer): boolean {
    const { identification, log, identityOf = identityByAddress } = this.#options
    try {
      const dialled = dialledNumber(request.uri, identification.region)
      const route = this.#routes.find({ caller: identityOf(request), dialled })
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
    const callId = request.get('Call-ID') ?? ''
    const objection = objectionTo(request, {
      hops,
      isKnown: this.#calls.has(key ?? ''),
      isOurs: this.#sent.has(callId),
      agreement,
    })
    if (key === undefined || objection !== undefined) {
      const { status, reason, headers } = objection ?? MISSING
      response.send(status, reason, { headers })
      return
    }
    const contact = new ContactRecord({
      journal,
      nodeId,
      callId,
      capture: 'trunk',
      startedAtMs: clock.epochMs(),
      facts: trunkFacts(request, { headers: readHeaders(request.raw), identification, lines }),
    })
    events.arrived(sourceOf(route))
    const call: TrunkCall = assembleCall(
      route,
      {
        ...invite,
        framework: invite.server.framework,
        contact,
        agreement,
        hopsLeft: hops - 1,
        farSideOf: (named) => this.#farSideOf(named),
        onSent: (sent) => this.#sent.set(sent.get('Call-ID') ?? '', call),
        onEnded: () => this.#forget(key, call),
      },
      { ...this.#options, health: this.#health },
    )
    this.#calls.set(key, call)
    this.#served.hold(call, invite.server)
    if (this.#isDraining) call.refuse(503, 'Shutting Down', { 'Retry-After': '30' })
    else void call.run()
  }

  #farSideOf(named: NamedDialog): FarSide | undefined {
    for (const call of this.#calls.values()) {
      const far = call.farSideOf(named)
      if (far !== undefined) return far
    }
    return undefined
  }

  #forget(key: string, call: TrunkCall): void {
    this.#calls.delete(key)
    for (const [callId, sender] of this.#sent) if (sender === call) this.#sent.delete(callId)
  }
}
