/** One leaf of a message body: nested multiparts are already taken apart. */
export interface BodyPart {
  /** `type/subtype` in small letters; empty where the part names none. */
  readonly mediaType: string
  /** By name in small letters; of a repeated header the first stands. */
  readonly headers: ReadonlyMap<string, string>
  readonly content: string
}

export interface Body {
  readonly parts: readonly BodyPart[]
  readonly problems: readonly string[]
}

/** What a body may be at most; beyond it reading stops and what was read is kept. Lengths are characters. */
export const MULTIPART_LIMITS = {
  bodyLength: 262_144,
  parts: 16,
  /** On all levels. */
  sections: 32,
  /** Places on one level where the boundary's text stands, whether it is one there or not. */
  marks: 256,
  depth: 4,
  headers: 32,
  headerLength: 1024,
} as const

interface Reading {
  readonly parts: BodyPart[]
  readonly problems: string[]
  sections: number
}

/**
 * Takes a message body apart (RFC 2046 §5.1) the way recording clients write it: boundary quoted or not, a
 * preamble, bare LF, no closing boundary, spaces after one, a header without a space after its colon.
 *
 * Never throws. A part's own Content-Length is ignored, since it is wrong as often as it is there: boundaries
 * alone divide a body.
 */
export function readBody(contentType: string, body: string): Body {
  const reading: Reading = { parts: [], problems: [], sections: 0 }
  if (body.length > MULTIPART_LIMITS.bodyLength) {
    reading.problems.push(
      `body of ${body.length} characters, more than ${MULTIPART_LIMITS.bodyLength}: the rest is not read`,
    )
  }
  const headers = new Map([['content-type', contentType.slice(0, MULTIPART_LIMITS.headerLength)]])
  readLevel({ headers, content: body.slice(0, MULTIPART_LIMITS.bodyLength) }, reading, 1)
  return reading
}

function readLevel(part: Omit<BodyPart, 'mediaType'>, reading: Reading, depth: number): void {
  const { mediaType, boundary } = readContentType(part.headers.get('content-type') ?? '')
  if (!mediaType.startsWith('multipart/')) {
    if (reading.parts.length < MULTIPART_LIMITS.parts) reading.parts.push({ ...part, mediaType })
    return
  }
  if (depth > MULTIPART_LIMITS.depth) {
    reading.problems.push(`multipart nested deeper than ${MULTIPART_LIMITS.depth}`)
    return
  }
  for (const section of split(part.content, boundary, reading.problems)) {
    if (reading.parts.length >= MULTIPART_LIMITS.parts) {
      reading.problems.push(`more than ${MULTIPART_LIMITS.parts} body parts: the rest is not read`)
      return
    }
    if (++reading.sections > MULTIPART_LIMITS.sections) {
      reading.problems.push('too many parts within parts: the rest is not read')
      return
    }
    readLevel(readSection(section), reading, depth + 1)
  }
}

/** The media type and the boundary parameter of a Content-Type value. */
function readContentType(value: string): { mediaType: string; boundary: string } {
  const [type = '', ...parameters] = splitOutsideQuotes(value)
  let boundary = ''
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=')
    if (equals < 0 || parameter.slice(0, equals).trim().toLowerCase() !== 'boundary') continue
    boundary = unquote(parameter.slice(equals + 1).trim())
    break
  }
  return { mediaType: type.trim().toLowerCase(), boundary }
}

function splitOutsideQuotes(value: string): string[] {
  const pieces: string[] = []
  let from = 0
  let isQuoted = false
  for (let at = 0; at < value.length; at++) {
    const character = value[at]
    if (character === '"') isQuoted = !isQuoted
    if (character !== ';' || isQuoted) continue
    pieces.push(value.slice(from, at))
    from = at + 1
  }
  pieces.push(value.slice(from))
  return pieces
}

function unquote(value: string): string {
  const quote = value[0]
  if (quote !== '"' && quote !== "'") return value
  const end = value.indexOf(quote, 1)
  return end < 0 ? value.slice(1) : value.slice(1, end)
}

interface Delimiter {
  readonly at: number
  /** Where the next section begins. */
  readonly after: number
  readonly isClosing: boolean
}

/** One section after the other, so that no more is divided than is read. */
function* split(content: string, declared: string, problems: string[]): Generator<string> {
  const marks = { left: MULTIPART_LIMITS.marks }
  const find = (boundary: string, from: number) =>
    boundary === '' ? undefined : findDelimiter(content, { boundary, from, marks })
  let boundary = declared
  let next = find(boundary, 0)
  if (next === undefined) {
    boundary = guessBoundary(content)
    next = find(boundary, 0)
    problems.push(
      next === undefined
        ? 'multipart without its boundary'
        : 'boundary taken from the body, not from Content-Type',
    )
  }
  // A body that never shows a boundary is read as one part, so that a lone SDP still counts.
  if (next === undefined && declared !== '') yield content
  while (next !== undefined && !next.isClosing) {
    const end = find(boundary, next.after)
    if (end === undefined) problems.push('multipart without a closing boundary')
    yield content.slice(next.after, end === undefined ? content.length : endOf(content, end.at))
    next = end
  }
}

/** The line break before a delimiter belongs to the delimiter (RFC 2046 §5.1.1). */
function endOf(content: string, delimiterAt: number): number {
  if (content[delimiterAt - 1] !== '\n') return delimiterAt
  return content[delimiterAt - 2] === '\r' ? delimiterAt - 2 : delimiterAt - 1
}

function findDelimiter(
  content: string,
  {
    boundary,
    from,
    marks,
  }: { readonly boundary: string; readonly from: number; readonly marks: { left: number } },
): Delimiter | undefined {
  const mark = `--${boundary}`
  let at = content.indexOf(mark, from)
  while (at >= 0 && marks.left > 0) {
    marks.left--
    if (at === 0 || content[at - 1] === '\n' || at === from) {
      const lineEnd = content.indexOf('\n', at)
      const after = lineEnd < 0 ? content.length : lineEnd + 1
      const rest = content.slice(at + mark.length, after).trim()
      if (rest === '' || rest === '--') return { at, after, isClosing: rest === '--' }
    }
    at = content.indexOf(mark, at + mark.length)
  }
  return undefined
}

/** The first line that looks like a delimiter, without its dashes. */
function guessBoundary(content: string): string {
  const found = /^--([^\s-][^\r\n]{0,69})[\t ]*\r?$/m.exec(content.slice(0, 4096))
  return found?.[1]?.trim() ?? ''
}

function readSection(section: string): Omit<BodyPart, 'mediaType'> {
  const headers = new Map<string, string>()
  let at = 0
  let last = ''
  for (let count = 0; count <= MULTIPART_LIMITS.headers && at < section.length; count++) {
    const lineEnd = section.indexOf('\n', at)
    const next = lineEnd < 0 ? section.length : lineEnd + 1
    const line = section.slice(at, Math.min(next, at + MULTIPART_LIMITS.headerLength)).trimEnd()
    if (line === '') return { headers, content: section.slice(next) }
    if (/^[\t ]/.test(line) && last !== '') {
      headers.set(
        last,
        `${headers.get(last)} ${line.trim()}`.slice(0, MULTIPART_LIMITS.headerLength),
      )
    } else {
      const name = /^([A-Za-z][A-Za-z0-9-]{0,63})[\t ]*:/.exec(line)?.[1]?.toLowerCase()
      // No header and no blank line: the part's content begins at once.
      if (name === undefined) return { headers, content: section.slice(at) }
      last = name
      if (!headers.has(name)) headers.set(name, line.slice(line.indexOf(':') + 1).trim())
    }
    at = next
  }
  return { headers, content: section.slice(at) }
}
