import type { SdpDirection } from '../../siprec/sdp-offer.ts'

/**
 * FreeSWITCH's own offer without its secure twin: asked for an offer, it puts each m-line there twice, as RTP/SAVP
 * and as RTP/AVP on the same port. Two m-lines for one stream are legal (RFC 3264 §5.1) and few answer them right.
 */
export function plainOffer(sdp: string): string {
  const [session = '', ...media] = sdp.split(/^(?=m=)/m)
  const isPlain = (section: string) => /^m=\S+ \d+ RTP\/AVP /.test(section)
  return media.some(isPlain) ? session + media.filter(isPlain).join('') : sdp
}

/**
 * The same description with another direction in every stream and the next version in `o=`, for a party that is to
 * hear of a hold or its end (RFC 3264 §8.4).
 */
export function withDirection(sdp: string, direction: SdpDirection): string {
  const lines = sdp
    .split(/\r?\n/)
    .filter((line) => line !== '' && !/^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line))
    .map((line) =>
      line.replace(/^(o=\S+ \S+ )(\d+)( .*)$/, (_line, before, version, after) => {
        return `${before}${BigInt(version) + 1n}${after}`
      }),
    )
  return `${lines.join('\r\n')}\r\na=${direction}\r\n`
}
