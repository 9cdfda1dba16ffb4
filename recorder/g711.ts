import type { CompandedCodec } from './recording-plan.ts'

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
export function g711Table(codec: CompandedCodec): Int16Array {
  return codec === 'PCMU' ? PCMU : PCMA
}

/** The byte of a codec for each of the 65536 linear values, by the value's 16 bits. */
export function g711Encoding(codec: CompandedCodec): Uint8Array {
  const known = ENCODINGS.get(codec)
  if (known !== undefined) return known
  const made = invert(g711Table(codec))
  ENCODINGS.set(codec, made)
  return made
}

const ENCODINGS = new Map<CompandedCodec, Uint8Array>()

/** The nearest value's byte for every value: the decoding table sorted, and midpoints between neighbours. */
function invert(table: Int16Array): Uint8Array {
  const sorted = Array.from(table, (value, code) => ({ value, code })).sort(
    (a, b) => a.value - b.value,
  )
  const bytes = new Uint8Array(65_536)
  let at = 0
  for (let value = -32_768; value <= 32_767; value++) {
    let next = sorted[at + 1]
    while (
      next !== undefined &&
      Math.abs(next.value - value) <= Math.abs((sorted[at]?.value ?? 0) - value)
    ) {
      next = sorted[++at + 1]
    }
    bytes[value & 0xffff] = sorted[at]?.code ?? 0
  }
  return bytes
}
