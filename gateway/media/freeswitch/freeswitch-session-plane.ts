import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { TallenneError } from '../../../base/tallenne-error.ts'
import type { RecordingOutcome } from '../../../recorder/recording-plan.ts'
import { nothingRecorded } from '../../calls/nothing-recorded.ts'
import type { DialogRenewer } from '../../sip/renew-dialog.ts'
import type { Answer } from '../../siprec/answer-plan.ts'
import {
  type CodecCapability,
  G711_CAPABILITIES,
  type MediaCapabilities,
} from '../../siprec/media-capabilities.ts'
import type {
  SessionMediaRequest,
  SessionPlane,
  SessionStream,
} from '../../siprec/session-plane.ts'
import type { DirectPlane } from '../direct-plane.ts'
import type { ForkEvents } from './endpoint-fork.ts'
import type { FreeswitchPool } from './freeswitch-pool.ts'
import { FreeswitchSession } from './freeswitch-session.ts'

export interface FreeswitchSessionPlaneOptions {
  readonly pool: FreeswitchPool
  readonly recordings: DirectPlane
  /** Host that the servers reach the engines' WebSockets at. */
  readonly forkHost: string
  readonly clock: Clock
  readonly log: Log
  readonly events: ForkEvents
}

/** What another server may do better. */
const SERVER_PROBLEMS = new Set(['no_media_server', 'media_timeout', 'fork_refused', 'fork_failed'])
const PROTOCOLS = ['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF']

/** Recording sessions whose streams end on FreeSWITCH, which decrypts and decodes them and forks them to the recorder. */
export class FreeswitchSessionPlane implements SessionPlane {
  readonly takesFurtherStreams = false
  readonly #options: FreeswitchSessionPlaneOptions
  /** By recording; one session may have several, of which one is open. */
  readonly #sessions = new Map<string, FreeswitchSession>()
  readonly #lostListeners: ((recordingId: string, cause: string) => void)[] = []

  constructor(options: FreeswitchSessionPlaneOptions) {
    this.#options = options
    options.recordings.onLost((recordingId, cause) => this.#lost(recordingId, cause))
  }

  /** What every server that takes calls decodes. */
  get capabilities(): MediaCapabilities {
    const [first = [], ...others] = this.#options.pool.candidates.map(({ codecs }) => codecs)
    const common = first.filter((codec) =>
      others.every((codecs) => codecs.some((other) => isSame(codec, other))),
    )
    // With no server at all the offer is not at fault.
    const codecs = first.length === 0 ? G711_CAPABILITIES.codecs : common
    return { codecs, protocols: PROTOCOLS, maxStreams: G711_CAPABILITIES.maxStreams }
  }

  async open(request: SessionMediaRequest): Promise<readonly SessionStream[]> {
    const { recordingId, answer, from } = request
    const before = from?.before
      .flatMap((id) => this.#sessions.get(id) ?? [])
      .find(({ isAlive }) => isAlive)
    const { session, streams } = before
      ? { session: before, streams: await before.goOn(recordingId, answer) }
      : await this.#openAnywhere(request)
    this.#sessions.set(recordingId, session)
    return streams
  }

  async answered(recordingId: string, answeredAtMs: number): Promise<void> {
    await this.#sessionOf(recordingId).answered(answeredAtMs)
  }

  async update(recordingId: string, answer: Answer): Promise<readonly SessionStream[]> {
    return this.#sessionOf(recordingId).update(answer)
  }

  async renewSignalling(recordingId: string, framework: DialogRenewer): Promise<void> {
    await this.#sessionOf(recordingId).renewSignalling(framework)
  }

  async close(
    recordingId: string,
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome> {
    const session = this.#sessions.get(recordingId)
    this.#sessions.delete(recordingId)
    const outcome = await session?.close(recordingId, endedAtMs, reasons)
    return outcome ?? nothingRecorded(recordingId, { startedAtMs: endedAtMs, endedAtMs })
  }

  onLost(listener: (recordingId: string, cause: string) => void): void {
    this.#lostListeners.push(listener)
  }

  /** A server that does not do costs no call while another one does. */
  async #openAnywhere({ recordingId, callId, answer, control }: SessionMediaRequest) {
    let refusal = new TallenneError('no_media_server', 'no FreeSWITCH server takes calls')
    for (const server of this.#options.pool.candidates) {
      const session: FreeswitchSession = new FreeswitchSession(recordingId, {
        ...this.#options,
        server,
        callId,
        control,
        onLost: (cause) => this.#lost(session.recordingId, cause),
      })
      try {
        return { session, streams: await session.open(answer) }
      } catch (error) {
        if (!(error instanceof TallenneError) || !SERVER_PROBLEMS.has(error.code)) throw error
        refusal = error
      }
    }
    throw refusal
  }

  #sessionOf(recordingId: string): FreeswitchSession {
    const session = this.#sessions.get(recordingId)
    if (session !== undefined) return session
    throw new TallenneError('engine_failed', `no session holds recording ${recordingId}`)
  }

  /** One that is being opened still tells by itself, and one that another took over from has been told of. */
  #lost(recordingId: string, cause: string): void {
    if (this.#sessions.get(recordingId)?.recordingId !== recordingId) return
    for (const listener of this.#lostListeners) listener(recordingId, cause)
  }
}

function isSame(a: CodecCapability, b: CodecCapability): boolean {
  return (
    a.encoding.toLowerCase() === b.encoding.toLowerCase() &&
    a.clockRate === b.clockRate &&
    a.channels === b.channels
  )
}
