import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What each party of a test recording sounds like, Hz. */
export const CALLER_HZ = 440
export const AGENT_HZ = 1500

/**
 * A recording of the shape that ours have, made by ffmpeg: Ogg Opus with two uncoupled mono streams, a tone
 * for each party, the caller first.
 */
export async function twoParties(seconds: number): Promise<Buffer> {
  const tone = (hertz: number) => [
    '-f',
    'lavfi',
    '-i',
    `sine=frequency=${hertz}:duration=${seconds}`,
  ]
  const { stdout } = await run(
    'ffmpeg',
    [
      ...['-v', 'error', ...tone(CALLER_HZ), ...tone(AGENT_HZ)],
      ...['-filter_complex', '[0][1]amerge=inputs=2', '-ar', '16000'],
      ...['-c:a', 'libopus', '-compression_level', '0', '-b:a', '32k'],
      ...['-mapping_family', '255', '-f', 'ogg', 'pipe:1'],
    ],
    { encoding: 'buffer', maxBuffer: 64 * 1_048_576 },
  )
  return withMappingFamily1(stdout)
}

/**
 * ffmpeg writes uncoupled streams as mapping family 255, we as 1; the rest of the header is the same
 * (RFC 7845 §5.1.1).
 */
function withMappingFamily1(file: Buffer): Buffer {
  const changed = Buffer.from(file)
  changed[changed.indexOf('OpusHead') + 18] = 1
  const segments = changed.readUInt8(26)
  const body = changed.subarray(27, 27 + segments).reduce((sum, size) => sum + size, 0)
  changed.writeUInt32LE(0, 22)
  changed.writeUInt32LE(pageChecksum(changed.subarray(0, 27 + segments + body)), 22)
  return changed
}

/** CRC of an Ogg page whose checksum field is zero (RFC 3533 §6): polynomial 0x04c11db7, nothing reflected. */
function pageChecksum(page: Uint8Array): number {
  let crc = 0
  for (const byte of page) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return crc >>> 0
}
