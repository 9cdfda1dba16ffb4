import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { TallenneError } from '../../base/tallenne-error.ts'
import {
  headerValue,
  type SipRequest,
  type SipResponse,
} from '../../gateway/sip-server/sip-message.ts'
import { readBody } from '../../gateway/siprec/multipart.ts'
import { readRecordingRequest } from '../../gateway/siprec/recording-session-request.ts'
import type { CapturedRequest } from './captured-call.ts'
import type { MediaPorts } from './media-ports.ts'
import type { ReplaySession } from './replay-session.ts'
import { rewriteBody } from './rewrite-body.ts'
import {
  contactAddress,
  type ReplayDialog,
  rewriteRequest,
  writeRequest,
} from './rewrite-request.ts'
import { SESSION_BODY_TYPE, type SessionParties, writeSessionBody } from './session-body.ts'
import { stepsOf } from './session-steps.ts'
import type { SipLink } from './sip-link.ts'

/** How a session went, before its verdict. */
export interface PlayedSession {
  /** Of the session with the gateway. */
  readonly callId: string
  readonly sent: number
  /** What was captured before the gateway had said where to send it. */
  readonly early: number
  /** What did not go as captured. */
  readonly notes: readonly string[]
}

export interface SessionPlayerOptions {
  readonly session: ReplaySession
  readonly link: SipLink
  readonly ports: MediaPorts
  /** How many times as fast as it was captured. */
  readonly speed: number
  readonly parties: SessionParties
  readonly signal: AbortSignal
}

const FINEST_WAIT_MS = 1
const SDP_TYPE = 'application/sdp'

/** Plays one session to a gateway: its INVITE, its media in its own time, what changes it, and its end. Plays once. */
export class SessionPlayer {
  readonly #options: SessionPlayerOptions
  readonly #callId = `replay-${randomBytes(10).toString('hex')}`
  readonly #tag = randomBytes(6).toString('hex')
  readonly #from: string
  readonly #to: string
  readonly #notes: string[] = []
  #toTag: string | undefined
  #remoteTarget: string | undefined
  #cseq = 0
  /** The description that was sent last. */
  #description = ''
  #isOver = false
  /** Requests go one after another, while media goes on. */
  #signalling: Promise<unknown> = Promise.resolve()
  #refresh: NodeJS.Timeout | undefined

  constructor(options: SessionPlayerOptions) {
    this.#options = options
    const invite = options.session.call?.invite.message
    const isOwn = options.session.kind === 'recordingSession'
    this.#from =
      (isOwn && invite && headerValue(invite, 'from')) ||
      `<sip:replay@replay.invalid>;tag=${this.#tag}`
    this.#to =
      (isOwn && invite && headerValue(invite, 'to')) ||
      `<sip:${options.parties.called}@replay.invalid>`
    options.link.listen(this.#callId, (request) => this.#answer(request))
  }

  /** Rejects with `call_refused` where the gateway refuses the session, and with `no_answer` where it is silent. */
  async play(): Promise<PlayedSession> {
    const { ports, signal } = this.#options
    try {
      await this.#invite()
      await this.#playSteps(signal)
      await this.#signalling
      if (!this.#isOver) await this.#sayBye()
    } finally {
      clearInterval(this.#refresh)
    }
    const { sent, early } = ports.counts
    return { callId: this.#callId, sent, early, notes: this.#notes }
  }

  async #invite(): Promise<void> {
    const { session, ports, link, speed } = this.#options
    const paced = speed === 1 ? [] : [`X-Tallenne-Replay-Speed: ${speed}`]
    const branch = link.newBranch()
    const numbers = { cseq: ++this.#cseq, branch }
    let text: string
    if (session.kind === 'recordingSession' && session.call !== undefined) {
      const { message } = session.call.invite
      const body = this.#describe(message, rewriteBody(message.body, ports))
      text = rewriteRequest(message, this.#dialog(), { ...numbers, body, headers: paced })
    } else {
      const written = writeSessionBody(session.media, this.#options.parties)
      const body = this.#describeAs(SESSION_BODY_TYPE, rewriteBody(written, ports))
      const headers = [
        `Contact: <sip:replay@${contactAddress(link)}>;+sip.src`,
        'Require: siprec',
        ...paced,
        `Content-Type: ${SESSION_BODY_TYPE}`,
      ]
      text = writeRequest('INVITE', this.#names(), { ...numbers, headers, body })
    }
    const response = await link.request(text, branch, 'INVITE')
    this.#toTag = /;\s*tag=([^;\s>]+)/i.exec(headerValue(response, 'to') ?? '')?.[1]
    if (response.status >= 300) {
      link.send(writeRequest('ACK', this.#names(), numbers))
      throw new TallenneError(
        'call_refused',
        `The gateway refused the session with ${response.status} ${response.reason}.`,
      )
    }
    this.#remoteTarget = /(sips?:[^>;,\s]+)/i.exec(headerValue(response, 'contact') ?? '')?.[1]
    this.#acknowledge(response, numbers.cseq, session.call?.answerInAck)
    this.#keepAlive(response)
  }

  /** ACKs a 200 and takes the description in it; where that is an offer, the ACK brings the answer. */
  #acknowledge(response: SipResponse, cseq: number, answer?: CapturedRequest): void {
    const { ports, link } = this.#options
    const type = headerValue(response, 'content-type') ?? ''
    const media = readRecordingRequest(type, response.body).sdp?.media
    if (media !== undefined) ports.aim(media)
    const branch = link.newBranch()
    if (answer !== undefined) {
      const body = this.#describe(answer.message, rewriteBody(answer.message.body, ports))
      link.send(rewriteRequest(answer.message, this.#dialog(), { cseq, branch, body }))
      return
    }
    link.send(writeRequest('ACK', this.#names(), { cseq, branch }))
  }

  /** Refreshes the session where the gateway left that to us (RFC 4028): the capture may be without it. */
  #keepAlive(response: SipResponse): void {
    const [, seconds, refresher] =
      /^(\d+)\s*(?:;.*refresher=(uac|uas))?/i.exec(
        headerValue(response, 'session-expires') ?? '',
      ) ?? []
    if (seconds === undefined || refresher?.toLowerCase() !== 'uac') return
    const headers = [`Session-Expires: ${seconds};refresher=uac`, 'Supported: timer']
    this.#refresh = setInterval(() => {
      this.#next(async () => {
        const branch = this.#options.link.newBranch()
        const text = writeRequest('UPDATE', this.#names(), { cseq: ++this.#cseq, branch, headers })
        await this.#options.link.request(text, branch, 'UPDATE')
      })
    }, Number(seconds) * 500)
    this.#refresh.unref()
  }

  async #playSteps(signal: AbortSignal): Promise<void> {
    const { session, speed, ports } = this.#options
    const { startMs, endMs } = session
    const steps = stepsOf(session)
    const begunMs = performance.now()
    for (let at = 0; !signal.aborted && !this.#isOver; ) {
      const nowMs = startMs + (performance.now() - begunMs) * speed
      let step = steps[at]
      for (; step !== undefined && step.atMs <= nowMs; step = steps[++at]) {
        if (step.kind === 'media') ports.send(step.index, step.packet)
        else if (step.kind === 'bye') this.#next(() => this.#sayBye())
        else this.#renew(step.request)
      }
      if (step === undefined && nowMs >= endMs) return
      const untilMs = ((step?.atMs ?? endMs) - nowMs) / speed
      await delay(Math.max(FINEST_WAIT_MS, Math.min(untilMs, 100)))
    }
  }

  /** A captured request within the dialog. */
  #renew({ message, packet }: CapturedRequest): void {
    this.#next(async () => {
      const { link, ports } = this.#options
      const { method } = message
      if (method === 'BYE') return this.#sayBye(message)
      const cseq = ++this.#cseq
      const branch = link.newBranch()
      const hasBody = message.body.trim() !== ''
      const body = hasBody ? this.#describe(message, rewriteBody(message.body, ports)) : ''
      const text = rewriteRequest(message, this.#dialog(), { cseq, branch, body })
      const response = await link.request(text, branch, method)
      if (response.status >= 300) {
        this.#notes.push(
          `${method} of packet ${packet} was answered with ${response.status} ${response.reason}`,
        )
        if (method === 'INVITE') link.send(writeRequest('ACK', this.#names(), { cseq, branch }))
        return
      }
      if (method !== 'INVITE') return
      if (hasBody) return this.#acknowledge(response, cseq)
      // It asked for an offer: the answer goes with the ACK.
      const type = headerValue(response, 'content-type') ?? ''
      ports.aim(readRecordingRequest(type, response.body).sdp?.media ?? [])
      const headers = [`Content-Type: ${SDP_TYPE}`]
      const ack = { cseq, branch: link.newBranch(), headers, body: this.#description }
      link.send(writeRequest('ACK', this.#names(), ack))
    })
  }

  /** Ends the dialog; `captured` is the BYE of the capture, which may bring metadata. */
  async #sayBye(captured?: SipRequest): Promise<void> {
    if (this.#isOver) return
    const { link } = this.#options
    const numbers = { cseq: ++this.#cseq, branch: link.newBranch() }
    const text =
      captured === undefined
        ? writeRequest('BYE', this.#names(), numbers)
        : rewriteRequest(captured, this.#dialog(), { ...numbers, body: captured.body })
    await link.request(text, numbers.branch, 'BYE')
    this.#isOver = true
  }

  /** What the gateway asks of us. */
  #answer(request: SipRequest): void {
    const { link } = this.#options
    switch (request.method) {
      case 'ACK':
      case 'CANCEL':
        return
      case 'INVITE': {
        const contact = `Contact: <sip:replay@${contactAddress(link)}>;+sip.src`
        const headers = [contact, `Content-Type: ${SDP_TYPE}`]
        link.answer(request, { toTag: this.#tag, headers, body: this.#description })
        return
      }
      case 'BYE':
        if (!this.#isOver) this.#notes.push('the gateway ended the session before the capture does')
        this.#isOver = true
        link.answer(request, { toTag: this.#tag })
        return
      default:
        link.answer(request, { toTag: this.#tag })
    }
  }

  /** Does something of signalling when what was begun before is done. What fails is told, and media goes on. */
  #next(act: () => Promise<void>): void {
    this.#signalling = this.#signalling.then(act).catch((error: unknown) => {
      this.#notes.push(error instanceof Error ? error.message : String(error))
    })
  }

  #describe(message: SipRequest, body: string): string {
    return this.#describeAs(headerValue(message, 'content-type') ?? '', body)
  }

  #describeAs(type: string, body: string): string {
    const part = readBody(type, body).parts.find(({ mediaType }) => mediaType === SDP_TYPE)
    if (part !== undefined) this.#description = `${part.content.trimEnd()}\r\n`
    return body
  }

  #dialog(): ReplayDialog {
    const { link } = this.#options
    return {
      callId: this.#callId,
      local: link.local,
      gateway: link.gateway,
      transport: link.transport,
      remoteTarget: this.#remoteTarget,
      toTag: this.#toTag,
    }
  }

  #names() {
    return { ...this.#dialog(), from: this.#from, to: this.#to }
  }
}
