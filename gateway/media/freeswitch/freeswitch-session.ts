import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { TallenneError } from '../../../base/tallenne-error.ts'
import type {
  MediaAddress,
  RecordingOutcome,
  StreamPlan,
} from '../../../recorder/recording-plan.ts'
import type { OrderedControl } from '../../calls/ordered-control.ts'
import type { DialogRenewer } from '../../sip/renew-dialog.ts'
import type { Answer, AnswerLine } from '../../siprec/answer-plan.ts'
import type { SessionStream } from '../../siprec/session-plane.ts'
import type { DirectPlane } from '../direct-plane.ts'
import type { ForkEvents, ForkedEndpoint } from './endpoint-fork.ts'
import { ForkedRecording } from './forked-recording.ts'
import type { FreeswitchServer } from './freeswitch-server.ts'
import { type LineOffer, readLine, writeLineOffer } from './line-description.ts'
import type { Endpoint } from './media-server-surface.ts'

export interface FreeswitchSessionOptions {
  readonly server: FreeswitchServer
  readonly callId: string
  readonly control: OrderedControl
  readonly recordings: DirectPlane
  readonly forkHost: string
  readonly clock: Clock
  readonly log: Log
  readonly events: ForkEvents
  /** Told once, where the endpoints are gone. */
  readonly onLost: (cause: string) => void
}

type AcceptedLine = Extract<AnswerLine, { readonly kind: 'accepted' }>

/** One stream of the client's, on an endpoint of its own. */
interface Stream {
  readonly streamId: string
  readonly endpoint: Endpoint
  /** What the endpoint has of the client; null where it was given nothing yet. */
  offer: LineOffer | null
  version: number
  stream: SessionStream
}

/**
 * One recording session's media: an endpoint of one FreeSWITCH for each stream, and a mono fork of what each hears.
 * Owns the endpoints; the recordings are closed one by one, and the last takes the endpoints with it.
 *
 * Offers are applied one after the other, and nothing is applied to a session that is closed.
 */
export class FreeswitchSession {
  readonly #options: FreeswitchSessionOptions
  readonly #log: Log
  readonly #streams = new Map<string, Stream>()
  readonly #stopWatching: () => void
  /** Those that go on in another one, until they are closed. */
  readonly #left = new Map<string, ForkedRecording>()
  #recording: ForkedRecording
  /** Whose voice each stream carries, as it is known now. */
  #roles: ReadonlyMap<string, StreamPlan['role']> = new Map()
  /** Streams that the open recording has a leg for. */
  #recorded = new Set<string>()
  #turn: Promise<unknown> = Promise.resolve()
  #lost: string | undefined
  #isClosed = false

  constructor(recordingId: string, options: FreeswitchSessionOptions) {
    const { server, callId } = options
    this.#options = options
    this.#log = options.log.child({ callId, freeswitch: server.address.name })
    this.#recording = this.#newRecording(recordingId)
    this.#stopWatching = server.onLost((cause) => this.#lose(cause))
  }

  /** Of the recording that is open. */
  get recordingId(): string {
    return this.#recording.recordingId
  }

  /** Whether another recording can go on with the endpoints. */
  get isAlive(): boolean {
    return this.#lost === undefined && !this.#isClosed
  }

  /** Makes the endpoints and opens the recording. Rejects as a `SessionPlane` does; then everything is released. */
  open(answer: Answer): Promise<readonly SessionStream[]> {
    return this.#inTurn(() =>
      this.#orRelease(async () => {
        await this.#arrange(answer)
        return this.#record(answer)
      }),
    )
  }

  /** Goes on in another recording, its engine being gone. Rejects as `open` does. */
  goOn(recordingId: string, answer: Answer): Promise<readonly SessionStream[]> {
    this.#left.set(this.recordingId, this.#recording)
    this.#recording = this.#newRecording(recordingId)
    return this.#inTurn(() => this.#orRelease(() => this.#record(answer)))
  }

  async answered(answeredAtMs: number): Promise<void> {
    await this.#recording.answered(answeredAtMs)
  }

  update(answer: Answer): Promise<readonly SessionStream[]> {
    return this.#inTurn(async () => {
      const added = await this.#arrange(answer)
      for (const stream of added) await this.#recording.add(this.#forked(stream, answer))
      for (const { streamId } of added) this.#recorded.add(streamId)
      const known = answer.streams.filter(({ streamId }) => this.#recorded.has(streamId))
      await this.#options.recordings.update(this.recordingId, known)
      return this.#described()
    })
  }

  /** The endpoints' own dialogs are on a SIP server too. */
  async renewSignalling(framework: DialogRenewer): Promise<void> {
    const { server } = this.#options
    const streams = [...this.#streams.values()]
    await Promise.all(streams.map(({ endpoint }) => server.renewEndpoint(endpoint, framework)))
  }

  /** Closes a recording, and with the open one the session. Null where it never was open. */
  async close(
    recordingId: string,
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome | null> {
    const left = this.#left.get(recordingId)
    if (left !== undefined) {
      this.#left.delete(recordingId)
      return left.close(endedAtMs, reasons)
    }
    this.#isClosed = true
    this.#stopWatching()
    await this.#turn
    // Endpoints go silent only when the engine has what was said until the end.
    const outcome = await this.#recording.close(endedAtMs, reasons)
    await this.#release()
    return outcome
  }

  /** Gives each line that is accepted its endpoint, and takes away those of others. Resolves with the new ones. */
  async #arrange(answer: Answer): Promise<readonly Stream[]> {
    this.#roles = new Map(answer.streams.map(({ streamId, role }) => [streamId, role]))
    const lines = answer.lines.filter((line) => line.kind === 'accepted')
    const accepted = new Set(lines.map(({ streamId }) => streamId))
    for (const { streamId, endpoint } of [...this.#streams.values()]) {
      if (accepted.has(streamId)) continue
      this.#streams.delete(streamId)
      await this.#recording.remove(endpoint)
      await this.#options.server.destroyEndpoint(endpoint)
    }
    const outcomes = await Promise.allSettled(
      lines.map(async (line) => {
        const known = this.#streams.get(line.streamId)
        if (known === undefined) return this.#admit(line, answer)
        await this.#tell(known, line, answer)
        return undefined
      }),
    )
    const added: Stream[] = []
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason
      if (outcome.value !== undefined) added.push(outcome.value)
    }
    // In the order of the lines, whichever of their endpoints was there first.
    for (const { streamId } of lines) {
      const stream = this.#streams.get(streamId)
      if (stream === undefined) continue
      this.#streams.delete(streamId)
      this.#streams.set(streamId, stream)
    }
    return added
  }

  async #admit(line: AcceptedLine, answer: Answer): Promise<Stream> {
    const { streamId } = line
    const offer = lineOffer(line, remoteOf(line, answer))
    const { endpoint, localSdp } = await this.#options.server.createEndpoint(
      offer && writeLineOffer(offer, 1),
    )
    const stream = { streamId, endpoint, offer, version: 1, stream: placed(streamId, localSdp) }
    this.#streams.set(streamId, stream)
    this.#watch(stream)
    return stream
  }

  /** Tells an endpoint what has changed of its client, where anything has. */
  async #tell(stream: Stream, line: AcceptedLine, answer: Answer): Promise<void> {
    // A hold says nothing of where the client is.
    const offer = lineOffer(line, remoteOf(line, answer) ?? stream.offer?.remote)
    if (offer === null || JSON.stringify(offer) === JSON.stringify(stream.offer)) return
    stream.version++
    const sdp = writeLineOffer(offer, stream.version)
    const localSdp = await this.#options.server.modifyEndpoint(stream.endpoint, sdp)
    // The answer to an offer of FreeSWITCH's own changes nothing of what was offered.
    if (stream.offer !== null) stream.stream = placed(stream.streamId, localSdp)
    stream.offer = offer
  }

  async #record(answer: Answer): Promise<readonly SessionStream[]> {
    const streams = [...this.#streams.values()]
    await this.#recording.start(streams.map((stream) => this.#forked(stream, answer)))
    const { status } = this.#recording
    if (status.kind === 'unavailable') throw new TallenneError(status.code, status.message)
    this.#recorded = new Set(streams.map(({ streamId }) => streamId))
    return this.#described()
  }

  #forked({ streamId, endpoint }: Stream, answer: Answer): ForkedEndpoint {
    const plan = answer.streams.find((stream) => stream.streamId === streamId)
    const { role = 'mixed', isReceiving = false, removesTones = false } = plan ?? {}
    return { endpoint, legs: [{ streamId, role, isReceiving, removesTones }] }
  }

  #described(): readonly SessionStream[] {
    return [...this.#streams.values()].map(({ stream }) => stream)
  }

  #newRecording(recordingId: string): ForkedRecording {
    return new ForkedRecording({
      ...this.#options,
      recordingId,
      log: this.#log,
      onStatusChange: (status) => {
        if (status.kind !== 'unavailable') return
        this.#log.warn(
          { recordingId, code: status.code, reason: status.message },
          'a stream of the session does not reach the recorder',
        )
      },
    })
  }

  async #orRelease<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      const done = await work()
      if (this.#lost === undefined) return done
      throw new TallenneError('no_media_server', this.#lost)
    } catch (error) {
      this.#isClosed = true
      await this.#recording.close(this.#options.clock.epochMs(), [])
      await this.#release()
      throw error
    }
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#turn.then(() => {
      if (!this.#isClosed) return work()
      throw new TallenneError('engine_failed', 'the session was closed meanwhile')
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #release(): Promise<void> {
    this.#stopWatching()
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    await Promise.all(streams.map(({ endpoint }) => this.#options.server.destroyEndpoint(endpoint)))
  }

  /** An endpoint that ends by itself takes the session with it. */
  #watch({ streamId, endpoint }: Stream): void {
    const ended = () => {
      if (this.#streams.get(streamId)?.endpoint === endpoint) {
        this.#lose('FreeSWITCH hung up an endpoint')
      }
    }
    endpoint.on('dtmf', ({ dtmf = '' }) => {
      const role = this.#roles.get(streamId)
      if (role !== undefined) this.#options.control.pressed(role, dtmf)
    })
    endpoint.on('destroy', ended)
    endpoint.dialog?.on('destroy', ended)
  }

  #lose(cause: string): void {
    if (!this.isAlive) return
    this.#lost = cause
    this.#log.warn({ cause }, 'media on FreeSWITCH is lost')
    this.#options.onLost(cause)
  }
}

function remoteOf({ streamId }: AcceptedLine, answer: Answer): MediaAddress | undefined {
  return answer.streams.find((stream) => stream.streamId === streamId)?.remote
}

function lineOffer(
  { client, ptimeMs }: AcceptedLine,
  remote: MediaAddress | undefined,
): LineOffer | null {
  return client === null ? null : { ...client, ptimeMs, remote }
}

function placed(streamId: string, localSdp: string): SessionStream {
  return { streamId, ...readLine(localSdp) }
}
