import { isIPv6 } from 'node:net'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Answer, AnswerLine } from './answer-plan.ts'
import type { SdpFormat } from './sdp-offer.ts'
import type { SessionStream } from './session-plane.ts'

/** The `o=` line of a description of ours. */
export interface SdpOrigin {
  /** Address that the ports are reached at. */
  readonly address: string
  /** Decimal digits, the same for the whole dialog. */
  readonly sessionId: string
  /** One more with each description that differs from the last. */
  readonly version: number
}

/**
 * Writes the answer, or the offer that a plan of our own makes (RFC 8866, RFC 3264 §6): the offer's m-lines in its
 * order, refused ones with port 0, labels repeated.
 *
 * Throws `stream_without_port` where an accepted stream has no port; the media plane gives one for each.
 */
export function writeAnswer(
  plan: Answer,
  ports: readonly SessionStream[],
  origin: SdpOrigin,
): string {
  const network = networkOf(origin.address)
  const lines = [
    'v=0',
    `o=tallenne ${origin.sessionId} ${origin.version} ${network}`,
    's=-',
    `c=${network}`,
    't=0 0',
    ...plan.lines.flatMap((line) =>
      line.kind === 'accepted' ? acceptedLines(line, ports, origin) : refusedLines(line),
    ),
  ]
  return `${lines.join('\r\n')}\r\n`
}

function acceptedLines(
  planned: Extract<AnswerLine, { kind: 'accepted' }>,
  ports: readonly SessionStream[],
  origin: SdpOrigin,
): string[] {
  const port = ports.find((candidate) => candidate.streamId === planned.streamId)
  if (port === undefined) {
    throw new TallenneError(
      'stream_without_port',
      `no port for the stream of m-line ${planned.index}`,
    )
  }
  const { formats, ptimeMs, crypto } = port.line ?? planned
  const payloadTypes = formats.map((format) => format.payloadType).join(' ')
  return [
    `m=audio ${port.rtpPort} ${planned.protocol} ${payloadTypes}`,
    ...(port.address === origin.address ? [] : [`c=${networkOf(port.address)}`]),
    ...formats.flatMap(formatLines),
    ...(ptimeMs === null ? [] : [`a=ptime:${ptimeMs}`]),
    ...(port.rtcpPort === port.rtpPort + 1 ? [] : [`a=rtcp:${port.rtcpPort}`]),
    ...crypto.map((key) => `a=crypto:${key}`),
    `a=${planned.direction}`,
    ...labelLines(planned.label),
  ]
}

function networkOf(address: string): string {
  return `IN ${isIPv6(address) ? 'IP6' : 'IP4'} ${address}`
}

function formatLines(format: SdpFormat): string[] {
  const { payloadType, encoding, clockRate, channels, fmtp } = format
  const suffix = channels > 1 ? `/${channels}` : ''
  const rtpmap = `a=rtpmap:${payloadType} ${encoding}/${clockRate}${suffix}`
  return fmtp === null ? [rtpmap] : [rtpmap, `a=fmtp:${payloadType} ${fmtp}`]
}

/** A refused m-line repeats media, protocol and formats (RFC 3264 §6); one without a format still needs one. */
function refusedLines(line: Extract<AnswerLine, { kind: 'refused' }>): string[] {
  const formats = line.formatTokens.join(' ') || '0'
  const media = `m=${line.media || 'audio'} 0 ${line.protocol || 'RTP/AVP'} ${formats}`
  return [media, ...labelLines(line.label)]
}

function labelLines(label: string | null): string[] {
  return label === null ? [] : [`a=label:${label}`]
}
