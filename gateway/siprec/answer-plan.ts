import { isIP } from 'node:net'
import type { MediaAddress, StreamPlan } from '../../recorder/recording-plan.ts'
import { isSecureProtocol, judgeOffered, type Protection } from '../sdes/judge-protection.ts'
import { compareLabels } from './compare-labels.ts'
import { type MediaCapabilities, type UsableFormats, usableFormats } from './media-capabilities.ts'
import type { SdpFormat, SdpMedia, SdpOffer } from './sdp-offer.ts'
import { identifyStreams } from './stream-identity.ts'

/** One m-line of an answer. */
export type AnswerLine =
  | {
      readonly kind: 'accepted'
      readonly index: number
      readonly streamId: string
      readonly label: string | null
      readonly protocol: string
      /** All formats that can be decoded, so that a codec may change without a new offer. */
      readonly formats: readonly SdpFormat[]
      readonly ptimeMs: number | null
      readonly direction: 'recvonly' | 'inactive'
      /** Values of `a=crypto` of ours (RFC 4568); none where the plane has keys of its own. */
      readonly crypto: readonly string[]
      /** Null in an offer of ours that has no answer yet. */
      readonly client: ClientLine | null
    }
  | {
      readonly kind: 'refused'
      readonly index: number
      /** The stream that this slot had, or null. */
      readonly streamId: string | null
      readonly label: string | null
      readonly media: string
      readonly protocol: string
      readonly formatTokens: readonly string[]
    }

/** What the client said of a line that was accepted. */
export interface ClientLine {
  /** Those that can be decoded. */
  readonly formats: readonly SdpFormat[]
  /** Values of `a=crypto` as written (RFC 4568). */
  readonly crypto: readonly string[]
}

export interface Answer {
  readonly kind: 'answer'
  /** One for each m-line of the offer, in its order. */
  readonly lines: readonly AnswerLine[]
  /**
   * Streams of the accepted lines in their order, then those of earlier offers that receive nothing now. Roles
   * are by the order of labels, for a single stream `mixed`, until `assignRoles` knows better.
   */
  readonly streams: readonly StreamPlan[]
}

/** `not_acceptable` is a 488: no audio line has a codec that can be decoded. */
export type AnswerPlan = Answer | { readonly kind: 'not_acceptable'; readonly problem: string }

/**
 * Decides what each m-line of an offer is answered. Each offer is judged anew: `inactive` once does not mean
 * `inactive` for ever. `previous` only keeps the streams' names and roles.
 */
export function planAnswer(
  offer: SdpOffer,
  options: { readonly capabilities: MediaCapabilities; readonly previous?: Answer },
): AnswerPlan {
  const { capabilities, previous } = options
  const known = (previous?.lines ?? []).flatMap(knownStream)
  const streamIds = identifyStreams(
    offer.media.filter((media) => media.kind === 'audio'),
    known,
  )
  const lines: AnswerLine[] = []
  const streams: StreamPlan[] = []
  let audioLines = 0
  let problem: string | undefined
  for (const media of offer.media) {
    const streamId = media.kind === 'audio' ? (streamIds[audioLines++] ?? null) : null
    const usable = usableFormats(media.formats, capabilities)
    const protection = protectionOf(media, capabilities, streamWith(streamId, previous))
    const isUsable =
      streamId !== null &&
      media.port !== 0 &&
      streams.length < capabilities.maxStreams &&
      usable.hasAudio &&
      capabilities.protocols.includes(media.protocol.toUpperCase()) &&
      protection.kind !== 'refused'
    if (!isUsable) {
      lines.push(refusedLine(media, streamId))
      if (protection.kind === 'refused' && usable.hasAudio) problem ??= protection.problem
      continue
    }
    lines.push(acceptedLine(media, streamId, { usable, protection }))
    streams.push(streamPlan(media, streamId, { usable, protection }))
  }
  if (streams.length === 0 && !(previous && isAllStopped(offer))) {
    return { kind: 'not_acceptable', problem: problem ?? whyNothing(offer) }
  }
  const room = capabilities.maxStreams - streams.length
  const stopped = stoppedStreams(streams, previous).slice(0, room)
  // A mixed stream that gave way to another says nothing of the other's role.
  const isMixed = (stream: StreamPlan) => stream.role === 'mixed'
  const apart = [...streams, ...stopped.filter((stream) => !isMixed(stream))]
  return {
    kind: 'answer',
    lines,
    streams: [...withOrderRoles(apart, lines, previous), ...stopped.filter(isMixed)],
  }
}

function knownStream(line: AnswerLine) {
  const { index, streamId, label } = line
  return streamId === null ? [] : [{ index, streamId, label }]
}

/** Whether a stream is to be recorded: the client sends, and has not put the stream on hold. */
function isSending(media: SdpMedia): boolean {
  return !media.isHeld && (media.direction === 'sendonly' || media.direction === 'sendrecv')
}

/** What a line that can be taken comes to. */
interface Taken {
  readonly usable: UsableFormats
  readonly protection: Exclude<Protection, { readonly kind: 'refused' }>
}

function streamWith(streamId: string | null, previous: Answer | undefined): StreamPlan | undefined {
  return previous?.streams.find((stream) => stream.streamId === streamId)
}

/** How the line is protected; a plane with keys of its own wants to see keys of the client's where there must be any. */
function protectionOf(
  media: SdpMedia,
  { srtp: policy }: MediaCapabilities,
  known: StreamPlan | undefined,
): Protection {
  if (policy !== undefined) return judgeOffered(media, { policy, own: known?.srtp?.send })
  return media.crypto.length > 0 || !isSecureProtocol(media.protocol)
    ? { kind: 'plain' }
    : { kind: 'refused', problem: 'a protected line without keys' }
}

function acceptedLine(
  media: SdpMedia,
  streamId: string,
  { usable, protection }: Taken,
): AnswerLine {
  return {
    kind: 'accepted',
    index: media.index,
    streamId,
    label: media.label,
    protocol: media.protocol,
    formats: usable.kept,
    ptimeMs: media.ptimeMs,
    direction: isSending(media) ? 'recvonly' : 'inactive',
    crypto: protection.kind === 'secure' ? protection.crypto : [],
    client: { formats: usable.kept, crypto: media.crypto },
  }
}

function refusedLine(media: SdpMedia, streamId: string | null): AnswerLine {
  const { index, label, kind, protocol, formatTokens } = media
  return { kind: 'refused', index, streamId, label, media: kind, protocol, formatTokens }
}

function streamPlan(media: SdpMedia, streamId: string, { usable, protection }: Taken): StreamPlan {
  const { formats, eventPayloadTypes, comfortNoisePayloadTypes, redundantPayloadTypes } = usable
  return {
    streamId,
    role: 'mixed',
    isReceiving: isSending(media),
    formats,
    eventPayloadTypes,
    comfortNoisePayloadTypes,
    ...(redundantPayloadTypes.length > 0 && { redundantPayloadTypes }),
    remote: remoteOf(media),
    ...versionOf(media.address),
    ...(protection.kind === 'secure' ? { srtp: protection.srtp } : {}),
  }
}

/** The IP version of an address that a description names; nothing for a host name. */
export function versionOf(address: string | null): Pick<StreamPlan, 'ipVersion'> {
  const version = isIP(address ?? '')
  return version === 4 || version === 6 ? { ipVersion: version } : {}
}

/** Port 9 is a placeholder and an unspecified address a hold: neither says where packets will come from. */
export function remoteOf(media: SdpMedia): MediaAddress | undefined {
  const { address, port } = media
  if (address === null || isIP(address) === 0 || media.isHeld || port === 0 || port === 9) {
    return undefined
  }
  return { address, port }
}

function isAllStopped(offer: SdpOffer): boolean {
  const audio = offer.media.filter((media) => media.kind === 'audio')
  return audio.length > 0 && audio.every((media) => media.port === 0)
}

function whyNothing(offer: SdpOffer): string {
  const audio = offer.media.filter((media) => media.kind === 'audio')
  if (audio.length === 0) return 'offer without an audio line'
  const offered = audio.flatMap((media) =>
    media.formats.map((format) => format.encoding || String(format.payloadType)),
  )
  const protocols = [...new Set(audio.map((media) => media.protocol))].join(' ')
  return `no audio line can be decoded: ${protocols} with ${[...new Set(offered)].join(' ') || 'no format'}`
}

/** A stream that an offer no longer has keeps its place on the timeline and receives nothing. */
function stoppedStreams(
  streams: readonly StreamPlan[],
  previous: Answer | undefined,
): readonly StreamPlan[] {
  const current = new Set(streams.map((stream) => stream.streamId))
  return (previous?.streams ?? [])
    .filter((stream) => !current.has(stream.streamId))
    .map((stream) => ({ ...stream, isReceiving: false }))
}

/**
 * Gives roles by order where nothing better is known: the lowest label is the caller's, all others are the agent's,
 * a stream that is alone is both. A role once given stays, except that `mixed` ends when a second stream comes.
 */
export function withOrderRoles(
  streams: readonly StreamPlan[],
  lines: readonly AnswerLine[],
  previous?: Answer,
): readonly StreamPlan[] {
  if (streams.length < 2)
    return streams.map((stream) => ({ ...stream, role: earlierRole(stream) ?? 'mixed' }))
  const labels = new Map(lines.map((line) => [line.streamId, line.label]))
  const first = streams.toSorted((a, b) =>
    compareLabels(labels.get(a.streamId), labels.get(b.streamId)),
  )[0]
  const hasCaller = streams.some((stream) => earlierRole(stream) === 'caller')
  return streams.map((stream) => {
    const earlier = earlierRole(stream)
    if (earlier === 'caller' || earlier === 'agent') return { ...stream, role: earlier }
    return { ...stream, role: stream === first && !hasCaller ? 'caller' : 'agent' }
  })

  function earlierRole(stream: StreamPlan): StreamPlan['role'] | undefined {
    return previous?.streams.find((known) => known.streamId === stream.streamId)?.role
  }
}
