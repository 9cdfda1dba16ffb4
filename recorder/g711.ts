import type { CodecName } from './recording-plan.ts'

/** µ-law to linear (ITU-T G.711, table 2): full scale is ±32124, so -32768 never occurs. */
const PCMU = Int16Array.from({ length: 256 }, (_, code) => {
  const inverted = ~code & 0xff
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 7)) - 0x84
  return (inverted & 0x80) === 0 ? magnitude : -magnitude
})

/** A-law to linear (ITU-T G.711, table 1): full scale is ±32256. */
const PCMA = Int16Array.from({ length: 256 }, (_, code) => {
  const toggled = code ^ 0x55
  const exponent = (toggled >> 4) & 7
  const mantissa = ((toggled & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
  return (toggled & 0x80) === 0 ? -magnitude : magnitude
})

/** The 256 linear values of a codec's bytes; shared, to be read only. */
export function g711Table(codec: CodecName): Int16Array {
  return codec === 'PCMU' ? PCMU : PCMA
}
