import { isIP } from 'node:net'

/** A SIP or tel address taken apart; what it does not say is empty. */
export interface SipAddress {
  readonly displayName: string
  /** `sip`, `sips`, `tel`, or empty. */
  readonly scheme: string
  /** Without its parameters and password, percent-encoding undone. */
  readonly user: string
  readonly host: string
  /** Of the user part, the URI and the header alike, by name in small letters. */
  readonly parameters: ReadonlyMap<string, string>
}

const LIMITS = { length: 2048, parameters: 32, addresses: 32 } as const

/**
 * Reads a name-addr, an addr-spec or a bare user part (RFC 3261 §20.10, RFC 3966 §3) as leniently as the field asks:
 * no scheme, no closing bracket, spaces around, parameters in the user part, inside or outside the brackets.
 *
 * Never throws.
 */
export function readSipAddress(text: string): SipAddress {
  const written = beginningOf(text).trim()
  const open = bracketAt(written)
  if (open < 0) return readUri(written, '', '')
  const close = written.indexOf('>', open)
  const end = close < 0 ? written.length : close
  return readUri(
    written.slice(open + 1, end).trim(),
    written.slice(0, open).trim().replace(/^"|"$/g, '').replace(/\\(.)/g, '$1'),
    written.slice(end + 1),
  )
}

/** As much as is looked at. Half of a character, which could not be encoded again, is left out. */
function beginningOf(text: string): string {
  return text.slice(0, LIMITS.length).replace(/[\ud800-\udbff]$/, '')
}

/** Where `<` stands outside of a quoted display name, or -1. */
function bracketAt(text: string): number {
  if (!text.startsWith('"')) return text.indexOf('<')
  let at = 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return text.indexOf('<', Math.min(at, text.length))
}

function readUri(uri: string, displayName: string, headerParameters: string): SipAddress {
  const scheme = /^(sips?|tel):/i.exec(uri)?.[1]?.toLowerCase() ?? ''
  const rest = uri.slice(scheme === '' ? 0 : scheme.length + 1).replace(/^\/\//, '')
  const at = scheme === 'tel' ? -1 : rest.indexOf('@')
  const [beforeAt = '', ...userParameters] = (at < 0 ? '' : rest.slice(0, at)).split(';')
  const [afterAt = '', ...uriParameters] = rest.slice(at + 1).split(/[;?]/)
  const parameters = readParameters([
    ...userParameters,
    ...uriParameters,
    ...headerParameters.split(';'),
  ])
  const user = at < 0 && isUserAlone(scheme, afterAt) ? afterAt : (beforeAt.split(':', 1)[0] ?? '')
  const host = user === afterAt && at < 0 ? '' : afterAt
  return { displayName, scheme, user: decodeUser(user), host: withoutPort(host), parameters }
}

/** A number without a host, as in `tel:+12025550147` and in clients that write no scheme. */
function isUserAlone(scheme: string, text: string): boolean {
  return scheme === 'tel' || (scheme === '' && isIP(withoutPort(text)) === 0)
}

function readParameters(written: readonly string[]): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const parameter of written.slice(0, LIMITS.parameters)) {
    const [name = '', ...value] = parameter.split('=')
    const key = name.trim().toLowerCase()
    if (key === '' || parameters.has(key)) continue
    parameters.set(key, value.join('=').trim().replace(/^"|"$/g, ''))
  }
  return parameters
}

function decodeUser(user: string): string {
  return user
    .trim()
    .replace(/%([2-7][0-9a-f])/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
}

function withoutPort(host: string): string {
  const trimmed = host.trim()
  const bracket = /^\[([^\]]*)\]/.exec(trimmed)?.[1]
  return bracket ?? trimmed.replace(/:\d{1,5}$/, '')
}

/** The addresses of header values that may hold several, divided at commas outside of quotes and brackets. */
export function splitAddresses(values: readonly string[]): readonly string[] {
  return values.slice(0, LIMITS.addresses).flatMap(splitValue).slice(0, LIMITS.addresses)
}

function splitValue(value: string): string[] {
  const text = beginningOf(value)
  const pieces: string[] = []
  let from = 0
  let isQuoted = false
  let isBracketed = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '\\' && isQuoted) at += 1
    else if (character === '"') isQuoted = !isQuoted
    else if (isQuoted) continue
    else if (character === '<') isBracketed = true
    else if (character === '>') isBracketed = false
    else if (character === ',' && !isBracketed) {
      pieces.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  pieces.push(text.slice(from).trim())
  return pieces.filter((piece) => piece !== '')
}
