const COMPACT_FORMS: Readonly<Record<string, string>> = {
  c: 'content-type',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  t: 'to',
  v: 'via',
}

/**
 * The values of a message's headers, one for each line, in the message's order and by name without regard to case
 * (RFC 3261 §7.3.1, §7.3.3). The framework joins lines of one name by commas, and then a comma within a value can
 * no longer be told from one between two.
 */
export function readHeaders(message: string): (name: string) => readonly string[] {
  const end = message.search(/\r?\n\r?\n/)
  const lines = (end < 0 ? message : message.slice(0, end)).split(/\r?\n(?![ \t])/)
  const values = new Map<string, string[]>()
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const written = line.slice(0, colon).trim().toLowerCase()
    const name = COMPACT_FORMS[written] ?? written
    const value = line
      .slice(colon + 1)
      .replace(/\r?\n[ \t]+/g, ' ')
      .trim()
    const earlier = values.get(name)
    if (earlier === undefined) values.set(name, [value])
    else earlier.push(value)
  }
  return (name) => values.get(name.toLowerCase()) ?? []
}
