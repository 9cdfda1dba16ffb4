import { type ByteRange, contentRangeOf } from './byte-ranges.ts'
import type { BodyPiece } from './file-body.ts'

/**
 * The body of `multipart/byteranges` (RFC 9110 §14.6): each part with its own Content-Type and
 * Content-Range.
 */
export function multipartPieces(
  ranges: readonly ByteRange[],
  { length, contentType, boundary }: { length: number; contentType: string; boundary: string },
): readonly BodyPiece[] {
  const text = (lines: string): BodyPiece => ({
    kind: 'bytes',
    bytes: Buffer.from(lines, 'latin1'),
  })
  const parts = ranges.flatMap((range, index): BodyPiece[] => [
    text(
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: ${contentRangeOf(range, length)}\r\n\r\n`,
    ),
    { kind: 'range', range },
  ])
  return [...parts, text(`\r\n--${boundary}--\r\n`)]
}
