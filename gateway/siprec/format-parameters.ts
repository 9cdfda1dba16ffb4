import type { CodecName, PayloadFormat } from '../../recorder/recording-plan.ts'
import type { SdpFormat } from './sdp-offer.ts'

/** Ways to pack AMR that nobody decodes here (RFC 4867 §8.1): with checksums, sorted by importance, interleaved. */
const UNREAD_PACKING = ['crc', 'robust-sorting', 'interleaving']

/** A format as the recorder is to read it; undefined where its parameters ask for what is not decoded. */
export function payloadFormat(codec: CodecName, format: SdpFormat): PayloadFormat | undefined {
  const { payloadType, encoding, clockRate, channels, fmtp } = format
  const isAmr = codec === 'AMR' || codec === 'AMR-WB'
  const parameters = isAmr ? readParameters(fmtp) : undefined
  if (UNREAD_PACKING.some((name) => (parameters?.get(name) ?? '0') !== '0')) return undefined
  return {
    payloadType,
    codec,
    clockRate: codec === 'G722' ? 8000 : clockRate,
    ...(codec === 'L16' && channels > 1 && { channels }),
    ...(/^AAL2-/i.test(encoding) && { isBigEndian: true }),
    ...(parameters?.get('octet-align') === '1' && { isOctetAligned: true }),
  }
}

/** `name=value;name=value` (RFC 4855 §3); names have no case. */
function readParameters(fmtp: string | null): ReadonlyMap<string, string> {
  const written = (fmtp ?? '').split(';').map((parameter) => parameter.split('=', 2))
  return new Map(
    written.map(([name = '', value = '']) => [name.trim().toLowerCase(), value.trim()]),
  )
}
