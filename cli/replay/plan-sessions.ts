import type { SdpFormat, SdpMedia } from '../../gateway/siprec/sdp-offer.ts'
import { STATIC_PAYLOAD_TYPES } from '../../gateway/siprec/static-payload-types.ts'
import type { CapturedCall } from './captured-call.ts'
import { asStream, type CapturedMedia, type LoneFlow } from './captured-media.ts'
import type { ReplaySession, ReplayStream } from './replay-session.ts'

/** Streams of one call begin within so much of each other. */
const TOGETHER_MS = 5000
const FIRST_DYNAMIC = 96

/**
 * The calls to be played: recording sessions where the capture holds any, else the calls that somebody made. A session
 * border controller's own trace holds both, and its calls would come twice.
 */
export function playableCalls(calls: readonly CapturedCall[]): readonly CapturedCall[] {
  const sessions = calls.filter(({ isRecordingSession }) => isRecordingSession)
  return sessions.length > 0 ? sessions : calls
}

/** A session for each call. */
export function sessionsOfCalls(
  calls: readonly CapturedCall[],
  media: CapturedMedia,
): ReplaySession[] {
  return calls.map((call, index) => {
    const streams = media.streamsOf(call)
    const { endMs: lastMs, startMs: firstMs } = timesOf(streams)
    const startMs = call.answeredAtMs ?? Math.min(call.invite.atMs, firstMs)
    return {
      number: index + 1,
      kind: call.isRecordingSession ? 'recordingSession' : 'call',
      call,
      media: call.isRecordingSession ? [] : partiesOf(call),
      streams,
      startMs,
      endMs: Math.max(startMs, call.endedAtMs ?? lastMs),
      obstacle: obstacleOf(call),
    }
  })
}

/** Sessions of flows without signalling: by a description's m-lines where there is one, else in pairs. */
export function sessionsOfFlows(
  flows: readonly LoneFlow[],
  lines: readonly SdpMedia[] | undefined,
): ReplaySession[] {
  const groups = lines === undefined ? pair(flows) : [byLines(flows, lines)]
  return groups.flatMap((group, index) => {
    if (group.every((flow) => flow === undefined)) return []
    const streams = group.map((flow, at) =>
      asStream(at, flow, lines?.[at]?.formats ?? formatsIn(flow)),
    )
    const { startMs, endMs } = timesOf(streams)
    const media = streams.map((stream, at) => lines?.[at] ?? lineFor(stream))
    const obstacle = streams.find(({ formats }) => formats.length === 0)
      ? 'its payload types mean nothing without a description: give one with --sdp FILE'
      : undefined
    return [
      {
        number: index + 1,
        kind: 'media',
        call: undefined,
        media,
        streams,
        startMs,
        endMs,
        obstacle,
      },
    ]
  })
}

function obstacleOf(call: CapturedCall): string | undefined {
  if (call.isRecordingSession) return undefined
  if (call.refusedWith !== undefined) return `it was refused with ${call.refusedWith}`
  return call.rounds.some(({ own, other }) => own.length > 0 && other.length > 0)
    ? undefined
    : 'it was never answered'
}

/** The m-lines whose formats the caller and the called party use: what each may send, the other has said. */
function partiesOf({ rounds }: CapturedCall): SdpMedia[] {
  const round = rounds.findLast(({ own, other }) => own.length > 0 && other.length > 0)
  const [own, other] = [round?.own, round?.other].map((side) =>
    side?.find(({ kind }) => kind === 'audio'),
  )
  if (own === undefined || other === undefined) return []
  // Each party protects what it sends by its own key: of those offered, the one that was answered.
  const tags = new Set(other.crypto.map((line) => line.split(' ', 1)[0]))
  const ownKeys = own.crypto.filter((line) => tags.has(line.split(' ', 1)[0]))
  return [
    { ...other, crypto: ownKeys, protocol: own.protocol },
    {
      ...own,
      crypto: other.crypto,
      protocol: other.protocol,
      formats: formatsOfAnswer(own, other),
    },
  ]
}

/** What was offered and answered too. */
function formatsOfAnswer(own: SdpMedia, other: SdpMedia): readonly SdpFormat[] {
  const answered = new Set(other.formats.map(({ encoding }) => encoding.toLowerCase()))
  const agreed = own.formats.filter(({ encoding }) => answered.has(encoding.toLowerCase()))
  return agreed.length > 0 ? agreed : own.formats
}

/** Flows of two directions of one path, else of one pair of hosts, that run together. */
function pair(flows: readonly LoneFlow[]): (LoneFlow | undefined)[][] {
  const left = [...flows]
  const pairs: (LoneFlow | undefined)[][] = []
  for (let flow = left.shift(); flow !== undefined; flow = left.shift()) {
    const first = flow
    const partner =
      left.find((other) => isReverse(first, other)) ??
      left.find(
        (other) => isBeside(first, other) && !left.some((another) => isReverse(other, another)),
      )
    if (partner !== undefined) left.splice(left.indexOf(partner), 1)
    pairs.push(partner === undefined ? [first] : [first, partner])
  }
  return pairs
}

function isReverse(one: LoneFlow, other: LoneFlow): boolean {
  return (
    one.from.address === other.to.address &&
    one.from.port === other.to.port &&
    one.to.address === other.from.address &&
    one.to.port === other.from.port
  )
}

function isBeside(one: LoneFlow, other: LoneFlow): boolean {
  const [first, second] = [one, other].map(({ statistics }) => statistics.facts().firstMs)
  return (
    one.from.address === other.from.address &&
    one.to.address === other.to.address &&
    Math.abs((first ?? 0) - (second ?? 0)) < TOGETHER_MS
  )
}

/** By port where the description names one of the flow's, else in the order in which they began. */
function byLines(flows: readonly LoneFlow[], lines: readonly SdpMedia[]): (LoneFlow | undefined)[] {
  const left = [...flows]
  const take = (flow: LoneFlow | undefined) => {
    if (flow !== undefined) left.splice(left.indexOf(flow), 1)
    return flow
  }
  const named = lines.map(({ port }) =>
    take(left.find(({ from, to }) => port !== 0 && (from.port === port || to.port === port))),
  )
  return named.map(
    (flow, index) => flow ?? (lines[index]?.kind === 'audio' ? left.shift() : undefined),
  )
}

/** What static payload types mean, and that small packets of a dynamic one beside them are key presses. */
function formatsIn(flow: LoneFlow | undefined): SdpFormat[] {
  const facts = flow?.statistics.facts()
  return [...(facts?.payloadTypes.keys() ?? [])].flatMap((payloadType): SdpFormat[] => {
    const known = STATIC_PAYLOAD_TYPES.get(payloadType)
    if (known !== undefined) return [{ payloadType, ...known, fmtp: null }]
    if (payloadType < FIRST_DYNAMIC || facts?.keyPresses === 0) return []
    const event = { encoding: 'telephone-event', clockRate: 8000, channels: 1, fmtp: '0-15' }
    return [{ payloadType, ...event }]
  })
}

function lineFor({ index, formats }: ReplayStream): SdpMedia {
  return {
    index,
    kind: 'audio',
    port: 9,
    protocol: 'RTP/AVP',
    formatTokens: formats.map(({ payloadType }) => String(payloadType)),
    formats,
    direction: 'sendonly',
    isHeld: false,
    address: null,
    label: null,
    ptimeMs: null,
    rtcpPort: null,
    hasRtcpMux: false,
    crypto: [],
  }
}

function timesOf(streams: readonly ReplayStream[]): { startMs: number; endMs: number } {
  const heard = streams.filter(({ facts }) => facts.packets > 0)
  return {
    startMs: Math.min(...heard.map(({ facts }) => facts.firstMs)),
    endMs: Math.max(0, ...heard.map(({ facts }) => facts.lastMs)),
  }
}
