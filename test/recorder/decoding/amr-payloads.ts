/** Bits of a frame by its type: speech, then the description of silence (3GPP TS 26.101 and 26.201). */
const BITS = {
  AMR: [95, 103, 118, 134, 148, 159, 204, 244, 39],
  'AMR-WB': [132, 177, 253, 285, 317, 365, 397, 461, 477, 40],
}

export interface AmrFrame {
  readonly frameType: number
  readonly isGood?: boolean
  /** The frame's bits, filled up with zeros. */
  readonly bytes: Uint8Array
}

export interface AmrPacking {
  readonly codec: 'AMR' | 'AMR-WB'
  readonly isOctetAligned: boolean
}

/** A payload of frames (RFC 4867 §4.3 and §4.4), which asks for no mode. */
export function amrPayload(
  frames: readonly AmrFrame[],
  { codec, isOctetAligned }: AmrPacking,
): Buffer {
  const fill = (bits: string) =>
    isOctetAligned ? bits.padEnd(Math.ceil(bits.length / 8) * 8, '0') : bits
  const toc = frames.map(({ frameType, isGood = true }, index) => {
    const hasMore = index < frames.length - 1 ? '1' : '0'
    return fill(`${hasMore}${binary(frameType, 4)}${isGood ? '1' : '0'}`)
  })
  const speech = frames.map(({ frameType, bytes }) =>
    fill(
      [...bytes]
        .map((byte) => binary(byte, 8))
        .join('')
        .slice(0, BITS[codec][frameType] ?? 0),
    ),
  )
  const bits = [fill('1111'), ...toc, ...speech].join('')
  const whole = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0')
  return Buffer.from((whole.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/** The frames of a file (RFC 4867 §5), each in a payload of its own. */
export function splitAmrFile(file: Uint8Array, packing: AmrPacking): Uint8Array[] {
  const payloads: Uint8Array[] = []
  let at = packing.codec === 'AMR' ? 6 : 9
  while (at < file.length) {
    const frameType = ((file[at] ?? 0) >> 3) & 15
    const length = Math.ceil((BITS[packing.codec][frameType] ?? 0) / 8)
    const bytes = file.subarray(at + 1, at + 1 + length)
    payloads.push(amrPayload([{ frameType, bytes }], packing))
    at += 1 + length
  }
  return payloads
}

function binary(value: number, digits: number): string {
  return value.toString(2).padStart(digits, '0')
}
