import { fixtureNames, readFixture } from '../gateway/siprec/fixture.ts'
import { readMessage } from '../interoperability/scenario.ts'

const LARGEST = 6_000

/** The messages of sip-fixtures/ that are of a size to be mutated. */
export function sipMessages(): readonly Uint8Array[] {
  return fixtureNames()
    .map((name) => Buffer.from(readMessage(name), 'latin1'))
    .filter(({ length }) => length < LARGEST)
}

/** Their bodies. */
export function bodiesOf(kind: 'whole' | 'sdp' | 'xml'): readonly Uint8Array[] {
  const bodies = fixtureNames()
    .map(readFixture)
    .filter(({ body }) => body !== '' && body.length < LARGEST)
    .map(({ body, contentType }) => (kind === 'whole' ? `${contentType}\n${body}` : body))
  if (kind === 'whole') return bodies.map((body) => Buffer.from(body))
  const pattern = kind === 'sdp' ? /v=0\r?\n[\s\S]*?(?=\r?\n--|$)/ : /<\?xml[\s\S]*?<\/recording>/
  const parts = bodies.map((body) => pattern.exec(body)?.[0]).filter((part) => part !== undefined)
  return [...new Set(parts)].map((part) => Buffer.from(part))
}
