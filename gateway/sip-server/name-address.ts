/** The value of From, To, Contact, Route or Record-Route (RFC 3261 §20.10). */
export interface NameAddress {
  /** As written, with quotes, trimmed; empty where there is none. */
  readonly display: string
  readonly uri: string
  /** Header parameters with their leading `;`, or empty. */
  readonly parameters: string
}

/** Undefined for what has no URI. Without angle brackets, parameters belong to the header. */
export function parseNameAddress(value: string): NameAddress | undefined {
  const open = outsideQuotes(value, '<')
  if (open >= 0) {
    const close = value.indexOf('>', open)
    if (close < 0) return undefined
    const uri = value.slice(open + 1, close).trim()
    const parameters = value.slice(close + 1).trim()
    if (uri === '' || (parameters !== '' && !parameters.startsWith(';'))) return undefined
    return { display: value.slice(0, open).trim(), uri, parameters }
  }
  const semicolon = value.indexOf(';')
  const uri = (semicolon < 0 ? value : value.slice(0, semicolon)).trim()
  if (!/^[a-z][\w+.-]*:[^\s]+$/i.test(uri)) return undefined
  return { display: '', uri, parameters: semicolon < 0 ? '' : value.slice(semicolon).trim() }
}

/** The `tag` parameter, or undefined. */
export function tagOf(address: NameAddress): string | undefined {
  return /;\s*tag\s*=\s*([^\s;,>"]+)/i.exec(address.parameters)?.[1]
}

/** Splits a comma list, minding quotes and angle brackets. */
export function splitList(value: string): readonly string[] {
  const items: string[] = []
  let start = 0
  let isQuoted = false
  let isBracketed = false
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at]
    if (isQuoted && character === '\\') at += 1
    else if (character === '"' && !isBracketed) isQuoted = !isQuoted
    else if (isQuoted) continue
    else if (character === '<') isBracketed = true
    else if (character === '>') isBracketed = false
    else if (character === ',' && !isBracketed) {
      items.push(value.slice(start, at).trim())
      start = at + 1
    }
  }
  items.push(value.slice(start).trim())
  return items.filter((item) => item !== '')
}

function outsideQuotes(value: string, wanted: string): number {
  let isQuoted = false
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at]
    if (isQuoted && character === '\\') at += 1
    else if (character === '"') isQuoted = !isQuoted
    else if (!isQuoted && character === wanted) return at
  }
  return -1
}
