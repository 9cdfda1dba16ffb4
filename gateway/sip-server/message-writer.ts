import { headerKey, headerRank, headerSpelling } from './header-names.ts'
import { parseNameAddress } from './name-address.ts'
import { parseSipUri, withHostPort } from './sip-uri.ts'

/** A header that is to be written. */
export interface HeaderField {
  /** Full name in lower case. */
  readonly key: string
  readonly name: string
  readonly value: string
}

const TOKEN = /^[\w\-.!%*+`'~]+$/

/** Headers that a client may not set, since they are the server's own. */
const SERVERS_OWN = new Set(['via', 'route', 'rseq', 'record-route', 'content-length'])

/** Headers in which `@localhost` stands for the server's address. */
const LOCALISED = new Set(['from', 'to', 'contact', 'p-asserted-identity'])

export function field(name: string, value: string): HeaderField {
  return { key: headerKey(name), name, value }
}

/** A whole message: headers in a drachtio server's order, Content-Length counted. */
export function composeMessage(
  startLine: string,
  fields: readonly HeaderField[],
  body: string,
): string {
  const all = [...fields, field('Content-Length', String(body.length))]
  // The sort is stable: headers of one name keep their order.
  all.sort((one, other) => headerRank(one.key) - headerRank(other.key))
  let text = `${startLine}\r\n`
  for (const { name, value } of all) text += `${name}: ${value}\r\n`
  return `${text}\r\n${body}`
}

/**
 * The headers that a client gave, less those that are the server's own and lines that are no header.
 * Line ends cannot stand in a value: they end it, or fold it where white space follows, as in what peers sent.
 */
export function clientFields(headers: string, local: LocalAddress): readonly HeaderField[] {
  const fields: HeaderField[] = []
  for (const line of headers.replace(/[\r\n]+[ \t]+/g, ' ').split(/[\r\n]+/)) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).trim()
    if (colon < 1 || !TOKEN.test(name)) continue
    const key = headerKey(name)
    if (SERVERS_OWN.has(key)) continue
    const given = line.slice(colon + 1).trim()
    const isLocal = LOCALISED.has(key) && given.includes('@localhost')
    const value = isLocal ? (withLocalHost(given, local) ?? given) : given
    fields.push({ key, name: headerSpelling(name), value })
  }
  return fields
}

export interface LocalAddress {
  readonly host: string
  readonly port: number
}

/** The address with the server's own host and port in its URI; undefined where it has no SIP URI. */
export function withLocalHost(value: string, local: LocalAddress): string | undefined {
  const address = parseNameAddress(value)
  const uri = address === undefined ? undefined : parseSipUri(address.uri)
  if (address === undefined || uri === undefined) return undefined
  const display = address.display === '' ? '' : `${address.display} `
  return `${display}<${withHostPort(uri, local.host, local.port)}>${address.parameters}`
}

export function fieldValue(fields: readonly HeaderField[], key: string): string | undefined {
  return fields.find((candidate) => candidate.key === key)?.value
}

/** The type to write for a body that came without one, or undefined where it cannot be told. */
export function guessedContentType(body: string): string | undefined {
  return body.startsWith('v=0') ? 'application/sdp' : undefined
}
