import { maskIfLong, maskNumber } from '../../base/mask-number.ts'
import { STATIC_PAYLOAD_TYPES } from '../../gateway/siprec/static-payload-types.ts'
import { formatLength } from '../demo/live-line.ts'
import type { ReplaySession, ReplayStream } from './replay-session.ts'

const KINDS = { recordingSession: 'recording session', call: 'call', media: 'media' } as const
/** A shorter time without packets is no pause worth telling. */
const PAUSE_MS = 1000

/** What a session holds, in lines. Numbers are masked. */
export function describeSession(session: ReplaySession): string[] {
  const { number, kind, call, streams, startMs, endMs, obstacle } = session
  const parties = call === undefined ? '' : ` from ${mask(call.from)} to ${mask(call.to)}`
  const length = Number.isFinite(startMs) ? formatLength(Math.max(0, endMs - startMs)) : '0:00'
  return [
    `${number}  ${KINDS[kind]}${parties}, ${length}${call === undefined ? '' : `, packet ${call.invite.packet}`}`,
    ...(call === undefined ? [] : [`   Call-ID ${call.callId}`, ...describeRequests(session)]),
    ...streams.flatMap(describeStream),
    ...(obstacle === undefined ? [] : [`   cannot be played: ${obstacle}`]),
  ]
}

function describeRequests({ call }: ReplaySession): string[] {
  const methods = (call?.requests ?? []).map(({ message }) => message.method)
  const counted = [...new Set(methods)].map((method) => {
    const count = methods.filter((one) => one === method).length
    return count === 1 ? method : `${count} ${method}`
  })
  return counted.length === 0 ? [] : [`   then ${counted.join(', ')}`]
}

function describeStream(stream: ReplayStream): string[] {
  const { index, from, to, facts } = stream
  if (from === undefined || to === undefined) return [`   stream ${index + 1}  no packets`]
  const { packets, lost, duplicates, ssrcs, longestGapMs, driftPpm, keyPresses, others } = facts
  const details = [
    `${packets} packets`,
    `${lost} lost`,
    ...(duplicates === 0 ? [] : [`${duplicates} twice or far too late`]),
    ...(ssrcs > 1 ? [`${ssrcs} SSRCs`] : []),
    ...(longestGapMs >= PAUSE_MS ? [`longest pause ${(longestGapMs / 1000).toFixed(2)} s`] : []),
    `jitter ${facts.jitterMs.toFixed(1)} ms`,
    ...(driftPpm === undefined ? [] : [`clock ${driftPpm >= 0 ? '+' : ''}${driftPpm} ppm`]),
    ...(keyPresses === 0 ? [] : [keyPresses === 1 ? 'a key press' : `${keyPresses} key presses`]),
    ...(others === 0 ? [] : [`${others} that are no RTP`]),
  ]
  return [
    `   stream ${index + 1}  ${from.address}:${from.port} > ${to.address}:${to.port}  ${codecsOf(stream).join(', ')}`,
    `             ${details.join(', ')}`,
  ]
}

/** The encodings that were sent, most packets first. */
export function codecsOf({ formats, facts }: ReplayStream): string[] {
  return [...facts.payloadTypes]
    .sort(([, a], [, b]) => b - a)
    .map(([payloadType]) => {
      const format = formats.find((one) => one.payloadType === payloadType)
      const encoding = format?.encoding || STATIC_PAYLOAD_TYPES.get(payloadType)?.encoding
      return encoding ?? `payload type ${payloadType}`
    })
}

/** A user part as it may be shown. */
export function mask(user: string): string {
  return user === '' ? 'nobody' : /\d{7}/.test(user) ? maskNumber(user) : maskIfLong(user)
}
