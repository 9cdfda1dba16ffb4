import { TallenneError } from '../../base/tallenne-error.ts'
import type { SdpFormat, SdpMedia } from '../../gateway/siprec/sdp-offer.ts'
import { STATIC_PAYLOAD_TYPES } from '../../gateway/siprec/static-payload-types.ts'
import { classifyDatagram } from '../../recorder/datagram-kind.ts'
import { RtpPacket } from '../../recorder/rtp-packet.ts'
import type { Captured, Endpoint } from './capture/datagrams.ts'
import type { CapturedCall } from './captured-call.ts'
import { FlowStatistics } from './flow-statistics.ts'
import type { MediaLookup } from './media-lookup.ts'
import type { MediaPacket, ReplayStream } from './replay-session.ts'

/** What is kept of a capture for being played is kept in memory. */
const MOST_BYTES = 1_500_000_000
const FIRST_DYNAMIC = 96
/** Fewer packets are no stream. */
const FEWEST_PACKETS = 5

interface Gathered {
  readonly from: Endpoint
  readonly to: Endpoint
  readonly statistics: FlowStatistics
  readonly packets: MediaPacket[]
}

/** A flow of RTP that no description tells of. */
export interface LoneFlow extends Gathered {
  isRtp: boolean
  nextSequence: number
  inSequence: number
}

/** Gathers the media of a capture: by calls where it holds signalling, else by flows that look like RTP. */
export class CapturedMedia {
  readonly #lookup: MediaLookup
  readonly #isKept: (call: CapturedCall) => boolean
  readonly #streams = new Map<CapturedCall, Map<number, Gathered>>()
  readonly #lone = new Map<string, LoneFlow>()
  readonly #packet = new RtpPacket()
  readonly #formats: readonly SdpFormat[]
  #bytes = 0

  /** `formats` say what payload types mean where no signalling does. */
  constructor(options: {
    readonly lookup: MediaLookup
    /** Whether a call is to be played; of others only facts are gathered. */
    readonly isKept: (call: CapturedCall) => boolean
    readonly keepsLone: boolean
    readonly formats: readonly SdpFormat[]
  }) {
    this.#lookup = options.lookup
    this.#isKept = options.isKept
    this.#formats = options.formats
    this.#keepsLone = options.keepsLone
  }

  readonly #keepsLone: boolean

  take(captured: Captured): void {
    if (captured.kind !== 'udp') return
    const owner = this.#lookup.ownerOf(captured)
    if (owner === undefined) {
      if (this.#keepsLone) this.#takeLone(captured)
      return
    }
    const { call, stream, isControl } = owner
    const streams = this.#streams.get(call) ?? new Map<number, Gathered>()
    this.#streams.set(call, streams)
    let gathered = streams.get(stream)
    if (gathered === undefined) {
      if (isControl) return
      gathered = gather(captured, formatsOf(call, stream))
      streams.set(stream, gathered)
    }
    if (!isControl) gathered.statistics.take(captured.payload, captured.atMs)
    if (this.#isKept(call)) this.#keep(gathered, captured, isControl)
  }

  /** The streams of a call, an entry for each m-line; of a call that is no session yet, one for each party. */
  streamsOf(call: CapturedCall): ReplayStream[] {
    const streams = this.#streams.get(call)
    const count = call.isRecordingSession
      ? Math.max(0, ...call.rounds.map(({ own, other }) => Math.max(own.length, other.length)))
      : 2
    return Array.from({ length: count }, (_, index) => {
      const gathered = streams?.get(index)
      const formats = formatsOf(call, index)
      return asStream(index, gathered ?? undefined, formats)
    })
  }

  /** The flows of RTP that no call of the capture tells of, in the order in which they began. */
  loneFlows(): LoneFlow[] {
    return [...this.#lone.values()].filter(
      (flow) => flow.isRtp && flow.statistics.facts().packets >= FEWEST_PACKETS,
    )
  }

  #takeLone(captured: Captured): void {
    const { from, to, payload } = captured
    const key = `${from.address} ${from.port} ${to.address} ${to.port}`
    const packet = this.#packet
    const isRtp = classifyDatagram(payload) === 'rtp' && packet.read(payload)
    let flow = this.#lone.get(key)
    if (flow === undefined) {
      if (!isRtp) return
      flow = { ...gather(captured, this.#formats), isRtp: false, nextSequence: -1, inSequence: 0 }
      this.#lone.set(key, flow)
    }
    if (isRtp) {
      // A chance that something else looks like RTP twice in sequence there hardly is.
      if (packet.sequenceNumber === flow.nextSequence) flow.inSequence++
      flow.nextSequence = (packet.sequenceNumber + 1) & 0xffff
      flow.isRtp ||= flow.inSequence >= 2
    }
    flow.statistics.take(payload, captured.atMs)
    this.#keep(flow, captured, false)
  }

  #keep(gathered: Gathered, { payload, atMs, from }: Captured, isControl: boolean): void {
    this.#bytes += payload.length
    if (this.#bytes > MOST_BYTES) {
      throw new TallenneError(
        'capture_too_large',
        'The capture holds more media than fits into memory: choose a call with --call, or cut the capture.',
      )
    }
    const source = `${from.address} ${from.port}`
    gathered.packets.push({ atMs, payload: Buffer.from(payload), source, isControl })
  }
}

function gather({ from, to }: Captured, formats: readonly SdpFormat[]): Gathered {
  const byType = new Map(formats.map((format) => [format.payloadType, format]))
  const isDescribed = formats.length > 0
  const statistics = new FlowStatistics({
    clockRateOf: (type) =>
      byType.get(type)?.clockRate ?? STATIC_PAYLOAD_TYPES.get(type)?.clockRate ?? 0,
    isEvent: (type) =>
      isDescribed
        ? byType.get(type)?.encoding.toLowerCase() === 'telephone-event'
        : type >= FIRST_DYNAMIC,
  })
  return { from, to, statistics, packets: [] }
}

/** What payload types of a stream mean, by all descriptions of either side. */
function formatsOf(call: CapturedCall, stream: number): SdpFormat[] {
  const formats = new Map<number, SdpFormat>()
  for (const { own, other } of call.rounds) {
    const lines: (SdpMedia | undefined)[] = call.isRecordingSession
      ? [own[stream], other[stream]]
      : [own, other].map((side) => side.find(({ kind }) => kind === 'audio'))
    for (const line of lines) {
      for (const format of line?.formats ?? []) {
        if (!formats.has(format.payloadType)) formats.set(format.payloadType, format)
      }
    }
  }
  return [...formats.values()]
}

/** A stream as it is played; one without a packet is played as one that is silent. */
export function asStream(
  index: number,
  gathered: Gathered | undefined,
  formats: readonly SdpFormat[],
): ReplayStream {
  const none = new FlowStatistics({ clockRateOf: () => 0, isEvent: () => false })
  return {
    index,
    from: gathered?.from,
    to: gathered?.to,
    formats,
    facts: (gathered?.statistics ?? none).facts(),
    packets: (gathered?.packets ?? []).toSorted((a, b) => a.atMs - b.atMs),
  }
}
