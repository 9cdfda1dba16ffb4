const POLYNOMIAL = 0x04c11db7

/** `TABLES[n][byte]` is the checksum of that byte followed by n zero bytes. */
const TABLES = buildTables()
const [T0, T1, T2, T3] = TABLES

function buildTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte << 24
    for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ POLYNOMIAL : value << 1
    return value
  })
  const shifted = (table: Int32Array) =>
    table.map((value) => (value << 8) ^ (first[value >>> 24] ?? 0))
  const second = shifted(first)
  const third = shifted(second)
  return [first, second, third, shifted(third)]
}

/**
 * Ogg's page checksum (RFC 3533 §6, field 7): CRC-32 with polynomial 0x04c11db7, not reflected, starting at 0.
 *
 * `crc` continues an earlier call. Four bytes are taken at once, since every recorded byte passes here.
 */
export function oggCrc(bytes: Uint8Array, crc = 0, from = 0, to = bytes.length): number {
  let value = crc | 0
  let at = from
  for (; at + 4 <= to; at += 4) {
    value =
      (T3[(value >>> 24) ^ (bytes[at] ?? 0)] ?? 0) ^
      (T2[((value >>> 16) & 0xff) ^ (bytes[at + 1] ?? 0)] ?? 0) ^
      (T1[((value >>> 8) & 0xff) ^ (bytes[at + 2] ?? 0)] ?? 0) ^
      (T0[(value & 0xff) ^ (bytes[at + 3] ?? 0)] ?? 0)
  }
  for (; at < to; at++) value = (value << 8) ^ (T0[(value >>> 24) ^ (bytes[at] ?? 0)] ?? 0)
  return value >>> 0
}
