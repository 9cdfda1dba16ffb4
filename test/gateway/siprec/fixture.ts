import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ReadHeaders } from '../../../gateway/siprec/recording-session-request.ts'

/** A SIP message of sip-fixtures/, divided into its parts. */
export interface Fixture {
  readonly name: string
  readonly requestUri: string
  readonly headers: ReadHeaders
  readonly contentType: string
  readonly body: string
}

/** Fixtures are not compiled: from build/test/gateway/siprec they are four folders up. */
const FOLDER = new URL('../../../../sip-fixtures/', import.meta.url)

export function fixtureNames(): readonly string[] {
  return readdirSync(fileURLToPath(FOLDER))
    .filter((file) => file.endsWith('.txt'))
    .map((file) => file.slice(0, -'.txt'.length))
}

export function readFixture(name: string): Fixture {
  const message = readFileSync(new URL(`${name}.txt`, FOLDER), 'utf8')
  const end = message.indexOf('\r\n\r\n')
  const [requestLine = '', ...lines] = message.slice(0, end).split('\r\n')
  const all = lines.map((line) => {
    const colon = line.indexOf(':')
    return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim() }
  })
  const headers = (wanted: string) =>
    all.filter((header) => header.name === wanted.toLowerCase()).map((header) => header.value)
  return {
    name,
    requestUri: requestLine.split(' ')[1] ?? '',
    headers,
    contentType: headers('Content-Type')[0] ?? '',
    body: message.slice(end + 4),
  }
}

/** What stands beside a fixture as the truth about it. */
export interface Expected {
  readonly previous?: string
  readonly region?: string
  readonly sign: string | null
  readonly caller: string | null
  readonly callerWithheld: boolean
  readonly serviceNumber: string | null
  readonly agent: string | null
  readonly direction: string
  readonly foundIn: unknown
  readonly streams: unknown
  readonly rolesFoundIn: unknown
  /** The answer's m-lines with their direction and label. */
  readonly answer: readonly string[] | null
  readonly problems: readonly string[]
}

export function readExpected(name: string): Expected {
  return JSON.parse(readFileSync(new URL(`${name}.expected.json`, FOLDER), 'utf8'))
}
