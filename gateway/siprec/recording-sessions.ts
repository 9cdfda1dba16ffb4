import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { settledWithin } from '../../base/settled-within.ts'
import type { SiprecConfig } from '../../config/siprec-config.ts'
import type { LiveRecording } from '../../recorder/recording-plan.ts'
import type { ContactJournal } from '../../storage/model.ts'
import type { CallAdmission } from '../admission/admission.ts'
import type { CallControls } from '../calls/call-controls.ts'
import type { CallEvents } from '../calls/call-events.ts'
import { JoinableContacts } from '../calls/joinable-contacts.ts'
import type { LiveCall } from '../calls/live-call.ts'
import type { RecordingFiles } from '../calls/recording-files.ts'
import { type CallServer, ServedCalls } from '../calls/served-calls.ts'
import type { InviteTaker } from '../sip/invite-router.ts'
import { identityByAddress, type ReadIdentity } from '../sip/peer-identity.ts'
import { readHeaders } from '../sip/read-headers.ts'
import { agreeOnTimer, type TimerAgreement, type TimerLimits } from '../sip/session-timer.ts'
import type { DialogMaker, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { CallMaker } from './call-maker.ts'
import type { Identification } from './identification.ts'
import type { Joining } from './join-rules.ts'
import { MediaNegotiation } from './media-negotiation.ts'
import type { PeerPlanes } from './peer-planes.ts'
import { RecordingSession } from './recording-session.ts'
import {
  type ReadHeaders,
  type RecordingRequest,
  recordingSign,
} from './recording-session-request.ts'
import { replayPace } from './replay-pace.ts'
import { readMessage } from './session-dialog.ts'
import type { SessionKnowledgeOptions } from './session-knowledge.ts'
import { objectionToSession } from './session-objection.ts'
import { UntoldCalls } from './untold-calls.ts'

export interface RecordingSessionsOptions {
  readonly nodeId: string
  readonly journal: ContactJournal
  readonly controls: CallControls
  readonly onStop: SiprecConfig['onStop']
  readonly planes: PeerPlanes
  /** Whom a request came from; by its address alone where absent. */
  readonly identityOf?: ReadIdentity
  readonly admission: CallAdmission
  /** How live recordings are now. */
  readonly recordings: () => Promise<readonly LiveRecording[]>
  readonly files: RecordingFiles
  readonly timer: TimerLimits
  /** RFC 3261 says 64 × T1: 32 s. */
  readonly ackTimeoutMs: number
  /** Parties of a lost SIP server that send nothing for so long have hung up. */
  readonly orphanQuietMs: number
  readonly identification: Identification
  readonly lines: SessionKnowledgeOptions['lines']
  readonly joining: Joining
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
}

/** What recording sessions need of one SIP server. */
export interface SessionServer extends CallServer {
  readonly framework: DialogMaker & CallServer['framework']
}

/** A peer that has not answered a BYE by then is left to find out by itself. */
const FAREWELL_MS = 1500

/** All recording sessions of the node. Refuses new ones while it drains; `drain` ends those that live. */
export class RecordingSessions {
  readonly #options: RecordingSessionsOptions
  /** By Call-ID and From tag, from the INVITE until the verdict. */
  readonly #sessions = new Map<string, RecordingSession>()
  readonly #served: ServedCalls<RecordingSession>
  readonly #joinable: JoinableContacts
  readonly #untold: UntoldCalls
  readonly #maker: CallMaker
  #isDraining = false

  constructor(options: RecordingSessionsOptions) {
    this.#options = options
    this.#joinable = new JoinableContacts(options)
    this.#maker = new CallMaker({ ...options, joinable: this.#joinable })
    const sessions = () => [...this.#sessions.values()]
    this.#untold = new UntoldCalls({ ...options, sessions })
    this.#served = new ServedCalls({
      calls: sessions,
      recordings: options.recordings,
      quietMs: options.orphanQuietMs,
      clock: options.clock,
    })
    for (const plane of options.planes.all) {
      plane.onLost((recordingId) => {
        for (const session of this.#sessions.values()) {
          if (session.has(recordingId)) session.mediaLost(recordingId)
        }
      })
    }
  }

  /** How recording sessions are taken from one SIP server: INVITEs that carry a sign of being one. */
  takerFor(server: SessionServer): InviteTaker {
    this.#served.add(server)
    return {
      take: (request, response) => this.#take(request, response, { server, needsSign: true }),
    }
  }

  /** Takes every INVITE: some recording clients send plain SDP and nothing else (rtpengine's recipes). */
  plainTakerFor(server: SessionServer): InviteTaker {
    this.#served.add(server)
    return {
      take: (request, response) => this.#take(request, response, { server, needsSign: false }),
    }
  }

  /** Starts to look after sessions whose SIP server was lost. Idempotent. */
  start(): void {
    this.#served.start()
    this.#joinable.start()
    this.#untold.start()
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  get count(): number {
    return this.#sessions.size
  }

  list(): readonly LiveCall[] {
    return [...this.#sessions.values()].flatMap((session) => session.live)
  }

  /**
   * Refuses new sessions from now on, ends those that live with `shutdown`, and resolves when all have a verdict
   * and their peers have answered the BYE, or have had `FAREWELL_MS` for it.
   */
  async drain(): Promise<void> {
    this.#isDraining = true
    this.#served.close()
    this.#joinable.close()
    this.#untold.close()
    const sessions = [...this.#sessions.values()]
    await Promise.all(sessions.map((session) => session.end('shutdown', { reasons: ['shutdown'] })))
    const { clock } = this.#options
    const farewells = Promise.all(sessions.map((session) => session.farewell))
    await settledWithin(farewells, { clock, limitMs: FAREWELL_MS })
  }

  #take(
    request: SipRequest,
    response: SipResponse,
    { server, needsSign }: { readonly server: SessionServer; readonly needsSign: boolean },
  ): boolean {
    try {
      const headers = readHeaders(request.raw)
      const message = readMessage(request)
      if (needsSign && recordingSign(headers, message) === null) return false
      const key = dialogKey(request)
      if (key === undefined || headers('Contact').length === 0) {
        response.send(400, 'Missing Call-ID or Contact', {})
        return true
      }
      if (this.#sessions.has(key)) {
        // The same request by another path (RFC 3261 §8.2.2.2): the call is being recorded already.
        response.send(482, 'Merged Request', {})
        return true
      }
      const objection = objectionToSession(headers, { message, body: request.body ?? '' })
      if (objection !== undefined) {
        response.send(objection.status, objection.reason, { headers: objection.headers })
        return true
      }
      const agreement = agreeOnTimer(request, this.#options.timer)
      if (agreement.kind === 'too_short') {
        // The client asks again with a longer interval: no contact for what is no attempt of its own.
        const minSe = { 'Min-SE': String(agreement.minS) }
        response.send(422, 'Session Interval Too Small', { headers: minSe })
        return true
      }
      this.#begin(key, { request, response, server, headers, message, agreement })
    } catch (error) {
      this.#options.log.error({ err: error, callId: request.get('Call-ID') }, 'INVITE failed')
      if (!response.finalResponseSent) response.send(500, 'Server Internal Error', {})
    }
    return true
  }

  #begin(
    key: string,
    invite: {
      readonly request: SipRequest
      readonly response: SipResponse
      readonly server: SessionServer
      readonly headers: ReadHeaders
      readonly message: RecordingRequest
      readonly agreement: TimerAgreement
    },
  ): void {
    const { clock, events, planes } = this.#options
    const { request, response, server, headers, message, agreement } = invite
    const client = (this.#options.identityOf ?? identityByAddress)(request)
    const plane = planes.planeFor(client)
    const source = planes.sourceOf(client)
    const callId = request.get('Call-ID') ?? ''
    const session = new RecordingSession({
      ...this.#options,
      source,
      request,
      response,
      message,
      agreement,
      maker: this.#maker,
      origin: {
        ...{
          headers,
          requestUri: request.uri,
          callId,
          dialogKey: key,
          plane,
          pace: replayPace(headers, request.source_address),
        },
        inactiveMeans: planes.inactiveMeans(client),
      },
      dialogs: server.framework,
      negotiation: new MediaNegotiation({
        capabilities: planes.capabilitiesFor(client),
        sessionId: String(Math.floor(clock.epochMs())),
        clientAddress: request.source_address,
      }),
      onEnded: () => this.#sessions.delete(key),
    })
    events.arrived(source)
    this.#sessions.set(key, session)
    this.#served.hold(session, server)
    if (this.#isDraining) {
      session.refuse(503, 'Shutting Down', { headers: { 'Retry-After': '30' } })
      return
    }
    const { obstacle } = this.#options.admission
    if (obstacle === undefined || obstacle.kind === 'certainty') session.start()
    else session.turnAway(obstacle)
  }
}

function dialogKey(request: SipRequest): string | undefined {
  const callId = request.get('Call-ID')
  // A client of RFC 2543 has none, which counts as empty (RFC 3261 §8.2.6.2).
  const tag = /;\s*tag\s*=\s*([^\s;,>]+)/i.exec(request.get('From') ?? '')?.[1] ?? ''
  return callId === undefined ? undefined : `${callId}\n${tag}`
}
