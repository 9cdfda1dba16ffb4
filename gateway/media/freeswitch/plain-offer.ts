import type { CodecCapability } from '../../siprec/media-capabilities.ts'
import { readSdpOffer, type SdpDirection } from '../../siprec/sdp-offer.ts'

/** What a FreeSWITCH offers by itself: formats of one audio line, and the attribute lines that say what they mean. */
export interface OwnAudio {
  readonly formats: string
  readonly attributes: readonly string[]
}

/**
 * Reads a FreeSWITCH's own offer. Asked for one, it puts each audio line there twice, as RTP/SAVP and as RTP/AVP on
 * the same port, and an endpoint that made it goes on with SRTP whatever the answer is. So such an offer serves to
 * learn the codecs, and never goes to a party. Undefined where there is no plain audio line.
 */
export function readOwnAudio(sdp: string): OwnAudio | undefined {
  for (const section of sectionsOf(sdp)) {
    const formats = /^m=audio \d+ RTP\/AVP ([\d ]+)/.exec(section[0] ?? '')?.[1]
    if (formats === undefined) continue
    const attributes = section.filter((line) => /^a=(rtpmap|fmtp|ptime):/.test(line))
    return { formats: formats.trim(), attributes }
  }
  return undefined
}

/** The codecs of an offer of its own; FreeSWITCH decodes them. */
export function codecsOf(own: OwnAudio): readonly CodecCapability[] {
  const reading = readSdpOffer(placeholderOffer(own))
  if (reading.kind !== 'offer') return []
  return reading.offer.media
    .flatMap(({ formats }) => formats)
    .filter(({ encoding }) => !/^(telephone-event|cn)?$/i.test(encoding))
    .map(({ encoding, clockRate, channels, payloadType }) => ({
      codec: null,
      encoding,
      clockRate,
      channels,
      payloadType,
    }))
}

/** An offer that makes an endpoint bind its port before anybody is there: what it sends goes nowhere. */
export function placeholderOffer({ formats, attributes }: OwnAudio): string {
  return toSdp([
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio 9 RTP/AVP ${formats}`,
    ...attributes,
    'a=sendrecv',
  ])
}

/** The offer that an endpoint stands behind: its own answer's address and port, with all codecs of the server. */
export function offerFrom(answer: string, { formats, attributes }: OwnAudio): string {
  const [session = [], ...media] = sectionsOf(answer, true)
  const audio = media.find(([line]) => line?.startsWith('m=audio '))
  const port = /^m=audio (\d+) /.exec(audio?.[0] ?? '')?.[1] ?? '0'
  const connection = (audio ?? []).filter((line) => line.startsWith('c='))
  return toSdp([
    ...session,
    `m=audio ${port} RTP/AVP ${formats}`,
    ...connection,
    ...attributes,
    'a=sendrecv',
  ])
}

/**
 * The same description with another direction in every stream and the next version in `o=`, for a party that is to
 * hear of a hold or its end (RFC 3264 §8.4).
 */
export function withDirection(sdp: string, direction: SdpDirection): string {
  const lines = linesOf(sdp)
    .filter((line) => !/^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line))
    .map((line) =>
      line.replace(/^(o=\S+ \S+ )(\d+)( .*)$/, (_line, before, version, after) => {
        return `${before}${BigInt(version) + 1n}${after}`
      }),
    )
  return toSdp([...lines, `a=${direction}`])
}

/**
 * `next` as the party is to hear it that was told `told` before: the same session in its next version, wherever it is
 * now (RFC 3264 §8).
 */
export function continuing(told: string, next: string): string {
  const origin = linesOf(told).find((line) => line.startsWith('o='))
  const [, before, version, after] = /^(o=\S+ \S+ )(\d+)( .*)$/.exec(origin ?? '') ?? []
  if (version === undefined) return next
  return toSdp(
    linesOf(next).map((line) =>
      line.startsWith('o=') ? `${before}${BigInt(version) + 1n}${after}` : line,
    ),
  )
}

function linesOf(sdp: string): string[] {
  return sdp.split(/\r?\n/).filter((line) => line !== '')
}

/** Lines of each media section, with the session's first where asked for. */
function sectionsOf(sdp: string, withSession = false): string[][] {
  const sections: string[][] = [[]]
  for (const line of linesOf(sdp)) {
    if (line.startsWith('m=')) sections.push([])
    sections.at(-1)?.push(line)
  }
  return withSession ? sections : sections.slice(1)
}

function toSdp(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n`
}
