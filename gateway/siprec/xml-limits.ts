/**
 * Beyond the first three a document is refused before anything of it is read; beyond the others reading stops and what
 * was read is kept. The largest that clients send have some hundreds of marks.
 */
export const XML_LIMITS = {
  length: 262_144,
  /** Everything that begins with `<`: tags, comments, character data, and brackets that are none. */
  marks: 2560,
  /** Everything that begins with `&`. */
  references: 1024,
  elements: 1024,
  depth: 32,
  attributes: 32,
  nameLength: 128,
  /** Characters that are kept of an attribute's value, or of a text between two marks. */
  textLength: 8192,
} as const

const EXCLAMATION_MARK = 0x21

/**
 * Why a document is refused unread; undefined where it may be read. Counts no further than to a limit, so that the
 * answer costs some microseconds whatever the document holds.
 */
export function objectionTo(text: string): string | undefined {
  if (text.length > XML_LIMITS.length) {
    return `metadata of ${text.length} characters, more than ${XML_LIMITS.length}: not read`
  }
  let marks = 0
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
    if (++marks > XML_LIMITS.marks) return `more than ${XML_LIMITS.marks} marks: not read`
    if (text.charCodeAt(at + 1) === EXCLAMATION_MARK && isLetter(text.charCodeAt(at + 2))) {
      return 'metadata with a document type is refused'
    }
  }
  let references = 0
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) {
    if (++references > XML_LIMITS.references) {
      return `more than ${XML_LIMITS.references} references: not read`
    }
  }
  return undefined
}

function isLetter(code: number): boolean {
  const small = code | 0x20
  return small >= 0x61 && small <= 0x7a
}
