import type { StreamPlan } from '../../recorder/recording-plan.ts'
import { isSecureProtocol, judgeAnswered } from '../sdes/judge-protection.ts'
import { newKeying, newOffer, withKey } from '../sdes/own-keys.ts'
import { type Answer, type AnswerLine, remoteOf, versionOf, withOrderRoles } from './answer-plan.ts'
import { type MediaCapabilities, offeredCodecs, usableFormats } from './media-capabilities.ts'
import type { SdpFormat, SdpMedia, SdpOffer } from './sdp-offer.ts'

/** Two audio lines: what a recorder must be able to take of one call (RFC 7866 §8.4). */
const OFFERED_LINES = 2

/**
 * What we offer in the 200 to an INVITE that has no SDP (RFC 7866 §7.2). The streams may be opened at once; they
 * receive nothing until the ACK's answer is read. Keys are offered only where SRTP is required: a client that does not
 * know them is to understand the offer.
 */
export function planDelayedOffer(
  capabilities: MediaCapabilities,
  /** Where the client's signalling comes from: media is taken by the same IP version. */
  clientAddress: string,
): Answer {
  const offered = offeredFormats(capabilities)
  const usable = usableFormats(offered, capabilities)
  const isSecure = capabilities.srtp === 'require'
  const lines: AnswerLine[] = []
  const streams: StreamPlan[] = []
  for (let index = 0; index < OFFERED_LINES; index++) {
    const streamId = `m${index}`
    lines.push({
      kind: 'accepted',
      index,
      streamId,
      label: null,
      protocol: isSecure ? 'RTP/SAVP' : 'RTP/AVP',
      formats: offered,
      ptimeMs: null,
      direction: 'recvonly',
      crypto: isSecure ? newOffer() : [],
      client: null,
    })
    streams.push({
      streamId,
      role: 'mixed',
      isReceiving: false,
      formats: usable.formats,
      eventPayloadTypes: usable.eventPayloadTypes,
      comfortNoisePayloadTypes: usable.comfortNoisePayloadTypes,
      remote: undefined,
      ...versionOf(clientAddress),
    })
  }
  return { kind: 'answer', lines, streams: withOrderRoles(streams, lines) }
}

function offeredFormats(capabilities: MediaCapabilities): readonly SdpFormat[] {
  return [
    ...offeredCodecs(capabilities),
    { payloadType: 101, encoding: 'telephone-event', clockRate: 8000, channels: 1, fmtp: '0-15' },
    { payloadType: 13, encoding: 'CN', clockRate: 8000, channels: 1, fmtp: null },
  ]
}

/**
 * Applies the answer in the ACK to what we offered; a stream that it refuses is gone. The result is the `previous`
 * of the next re-offer.
 *
 * All offered payload types stay decodable, since the client sends by our numbers; numbers of its own that
 * collide with none of ours are decoded as well.
 */
export function readDelayedAnswer(
  offer: Answer,
  answer: SdpOffer,
  capabilities: MediaCapabilities,
): Answer {
  const lines: AnswerLine[] = []
  const streams: StreamPlan[] = []
  for (const [at, line] of offer.lines.entries()) {
    const media = answer.media[at]
    const stream = offer.streams.find((candidate) => candidate.streamId === line.streamId)
    if (stream === undefined || line.kind === 'refused') continue
    const label = media?.label ?? null
    if (media?.kind !== 'audio' || media.port === 0) {
      lines.push(refusedLine(line, label))
      continue
    }
    const protection = protectionOf(line, media)
    if (protection.kind === 'refused') {
      lines.push(refusedLine(line, label))
      continue
    }
    const { kept } = usableFormats(media.formats, capabilities)
    const crypto = protection.kind === 'secure' ? protection.crypto : []
    lines.push({ ...line, label, crypto, client: { formats: kept, crypto: media.crypto } })
    const { srtp: _, ...unprotected } = answeredStream(stream, media, capabilities)
    streams.push({
      ...unprotected,
      ...(protection.kind === 'secure' ? { srtp: protection.srtp } : {}),
    })
  }
  return { kind: 'answer', lines, streams: withOrderRoles(streams, lines) }
}

/** Keys of ours want the client's; a plane that has its own takes care of them itself. */
function protectionOf(line: Extract<AnswerLine, { kind: 'accepted' }>, media: SdpMedia) {
  if (line.crypto.length === 0) return { kind: 'plain' } as const
  return judgeAnswered(media, { offered: line.crypto, mustBe: isSecureProtocol(line.protocol) })
}

/**
 * The same with fresh keys of ours, for a recording that goes on elsewhere: nobody knows there how far the old ones
 * have come, and no key may protect two packets of one number.
 */
export function withNewKeys(plan: Answer): Answer {
  const renewed = plan.streams.map((stream) => {
    const { srtp } = stream
    if (srtp === undefined) return stream
    const { suite, hasPlainRtcp } = srtp.send
    return { ...stream, srtp: { ...srtp, send: newKeying(suite, { hasPlainRtcp }) } }
  })
  const lines = plan.lines.map((line) => {
    const send = renewed.find(({ streamId }) => streamId === line.streamId)?.srtp?.send
    if (line.kind === 'refused' || send === undefined) return line
    return { ...line, crypto: withKey(line.crypto, send) }
  })
  return { ...plan, lines, streams: renewed }
}

function refusedLine(
  line: Extract<AnswerLine, { kind: 'accepted' }>,
  label: string | null,
): AnswerLine {
  const { index, streamId, protocol, formats } = line
  const formatTokens = formats.map(({ payloadType }) => String(payloadType))
  return { kind: 'refused', index, streamId, label, media: 'audio', protocol, formatTokens }
}

function answeredStream(
  stream: StreamPlan,
  media: SdpMedia,
  capabilities: MediaCapabilities,
): StreamPlan {
  const ours = new Set([
    ...stream.formats.map((format) => format.payloadType),
    ...stream.eventPayloadTypes,
    ...stream.comfortNoisePayloadTypes,
  ])
  const theirs = usableFormats(
    media.formats.filter((format) => !ours.has(format.payloadType)),
    capabilities,
  )
  const sends = media.direction === 'sendonly' || media.direction === 'sendrecv'
  return {
    ...stream,
    isReceiving: sends && !media.isHeld,
    formats: [...stream.formats, ...theirs.formats],
    eventPayloadTypes: [...stream.eventPayloadTypes, ...theirs.eventPayloadTypes],
    comfortNoisePayloadTypes: [
      ...stream.comfortNoisePayloadTypes,
      ...theirs.comfortNoisePayloadTypes,
    ],
    remote: remoteOf(media),
  }
}
