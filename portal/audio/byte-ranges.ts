/** Bytes `first` to `last`, both included, as in Content-Range. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

export type RangeSelection =
  /** No range was asked for, or none that this server heeds: the whole is sent. */
  | { readonly kind: 'whole' }
  /** What was asked for lies beyond the end. */
  | { readonly kind: 'unsatisfiable' }
  /** In ascending order, apart from each other, one at least. */
  | { readonly kind: 'ranges'; readonly ranges: readonly ByteRange[] }

const RANGE_SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/
const MAX_RANGES = 16
// A part's own headers take about so many bytes: a smaller gap is cheaper sent than left out.
const MAX_GAP_BYTES = 128

/**
 * What a Range header selects of `length` bytes (RFC 9110 §14.1.2 and §14.2).
 *
 * A malformed header, another unit, and more than 16 ranges are ignored, as §14.2 allows. Ranges that
 * overlap or nearly touch become one.
 *
 *     ranges-specifier = range-unit "=" range-set
 *     range-set        = 1#( first-pos "-" [ last-pos ] / "-" suffix-length )
 */
export function selectRanges(header: string | undefined, length: number): RangeSelection {
  const rangeSet = /^bytes=(.*)$/i.exec(header ?? '')?.[1]
  if (rangeSet === undefined) return { kind: 'whole' }
  // A list may hold empty elements, which count for nothing (RFC 9110 §5.6.1.2).
  const specs = rangeSet.split(',').flatMap((spec) => spec.trim() || [])
  if (specs.length === 0 || specs.length > MAX_RANGES) return { kind: 'whole' }

  const satisfiable: ByteRange[] = []
  for (const spec of specs) {
    const range = readSpec(spec, length)
    if (range === 'malformed') return { kind: 'whole' }
    if (range !== 'beyond') satisfiable.push(range)
  }
  if (satisfiable.length === 0) return { kind: 'unsatisfiable' }
  return { kind: 'ranges', ranges: joinNear(satisfiable) }
}

function readSpec(spec: string, length: number): ByteRange | 'malformed' | 'beyond' {
  const match = RANGE_SPEC.exec(spec)
  if (!match) return 'malformed'
  const [, firstText, lastText, suffixText] = match
  if (firstText === undefined) {
    const suffixLength = Number(suffixText)
    if (suffixLength === 0 || length === 0) return 'beyond'
    return { first: Math.max(0, length - suffixLength), last: length - 1 }
  }
  const first = Number(firstText)
  const last = lastText ? Number(lastText) : Number.POSITIVE_INFINITY
  if (last < first) return 'malformed'
  if (first >= length) return 'beyond'
  return { first, last: Math.min(last, length - 1) }
}

function joinNear(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const joined: ByteRange[] = []
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = joined.at(-1)
    if (before && range.first - before.last - 1 <= MAX_GAP_BYTES) {
      joined[joined.length - 1] = {
        first: before.first,
        last: Math.max(before.last, range.last),
      }
    } else {
      joined.push(range)
    }
  }
  return joined
}

/** Content-Range of a part, as `bytes 0-99/1234`. */
export function contentRangeOf({ first, last }: ByteRange, length: number): string {
  return `bytes ${first}-${last}/${length}`
}

export function lengthOf({ first, last }: ByteRange): number {
  return last - first + 1
}
