import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRecordingRequest } from '../gateway/siprec/recording-session-request.ts'
import { cpuMsOf, median } from './machine-noise.ts'

const FIXTURE = join(import.meta.dirname, '..', '..', 'sip-fixtures', 'oracle', 'invite.txt')
const ROUNDS = 9
const READINGS = 200
const BOUNDARY = 'b'
const SIZE = 250_000

/** A message body with its type. */
interface Sent {
  readonly contentType: string
  readonly body: string
}

/**
 * What a hostile body costs until it is given up, against reading an ordinary one whole: that of an INVITE from an
 * Oracle SBC, with its description and its metadata.
 */
export function benchMetadata(): void {
  const ordinary = ordinaryBody()
  const bombs = Object.entries(BOMBS).map(([kind, make]) => ({ kind, sent: make(ordinary) }))
  const rounds = Array.from({ length: ROUNDS }, () => ({
    ordinaryUs: usOf(ordinary),
    bombUs: bombs.map(({ sent }) => usOf(sent)),
  }))
  const ordinaryUs = median(rounds.map((round) => round.ordinaryUs))
  console.log(
    `Bodies, µs of CPU for one; an ordinary one of ${ordinary.body.length} bytes is read in ${ordinaryUs.toFixed(0)}`,
  )
  console.log('bomb                       bytes      µs   ratio  metadata  description')
  for (const [at, { kind, sent }] of bombs.entries()) {
    const us = median(rounds.map(({ bombUs }) => bombUs[at] ?? 0))
    const ratio = median(rounds.map((round) => (round.bombUs[at] ?? 0) / round.ordinaryUs))
    const { sdp, metadata } = readRecordingRequest(sent.contentType, sent.body)
    console.log(
      [
        kind.padEnd(22),
        String(sent.body.length).padStart(9),
        us.toFixed(1).padStart(7),
        ratio.toFixed(2).padStart(7),
        (metadata === null ? 'refused' : 'read').padStart(9),
        (sdp === null ? 'none' : 'read').padStart(12),
      ].join(' '),
    )
  }
}

const BOMBS: Readonly<Record<string, (ordinary: Sent) => Sent>> = {
  entities: xml(
    `<!DOCTYPE r [<!ENTITY a "x">${Array.from({ length: 40 }, (_, n) => `<!ENTITY e${n} "&a;&a;">`).join('')}]><r>&e39;</r>`,
  ),
  'entities, late': xml(`<r>${'<p/>'.repeat(500)}<!DOCTYPE r [<!ENTITY a "x">]></r>`),
  depth: xml('<a>'.repeat(SIZE / 3)),
  elements: xml(`<r>${'<p/>'.repeat(SIZE / 4)}</r>`),
  'elements of objects': xml(
    `<recording>${'<participant id="1"><nameID aor="sip:1@x"/></participant>'.repeat(SIZE / 60)}</recording>`,
  ),
  'end tags': xml(`<r>${'</p>'.repeat(SIZE / 4)}`),
  comments: xml(`<r>${'<!---->'.repeat(SIZE / 7)}</r>`),
  attributes: xml(`<r ${'a="b" '.repeat(SIZE / 6)}/>`),
  references: xml(`<r>${'&amp;'.repeat(SIZE / 5)}</r>`),
  'references, spread': xml(`<r>${`<p>${'&#65;'.repeat(1000)}</p>`.repeat(SIZE / 5010)}</r>`),
  ampersands: xml(`<r>${'&'.repeat(SIZE)}</r>`),
  text: xml(`<r>${'x'.repeat(SIZE)}</r>`),
  space: xml(' '.repeat(SIZE)),
  size: xml(`<r>${'<p>x</p>'.repeat(60_000)}</r>`),
  'non-ASCII size': xml(`<r>${'é'.repeat(SIZE)}</r>`),
  parts: parts(Array.from({ length: SIZE / 30 }, () => 'Content-Type: text/x\r\n\r\ny')),
  'parts of one letter': parts(Array.from({ length: SIZE / 10 }, () => 'y')),
  boundaries: (ordinary) => ({
    ...ordinary,
    body: `${ordinary.body.slice(0, 400)}${boundaryOf(ordinary).repeat(SIZE / boundaryOf(ordinary).length)}`,
  }),
  'nested parts': nested(),
}

function xml(document: string): (ordinary: Sent) => Sent {
  return (ordinary) => {
    const at = ordinary.body.indexOf('<?xml')
    return { ...ordinary, body: ordinary.body.slice(0, at) + document }
  }
}

function parts(contents: readonly string[]): () => Sent {
  const sections = contents.map((content) => `--${BOUNDARY}\r\n${content}\r\n`)
  return () => ({
    contentType: `multipart/mixed;boundary=${BOUNDARY}`,
    body: `${sections.join('')}--${BOUNDARY}--\r\n`,
  })
}

/** Each part is a multipart of as many. */
function nested(): () => Sent {
  let body = 'Content-Type: text/x\r\n\r\ny\r\n'
  for (let depth = 0; depth < 5; depth++) {
    const section = `--${depth}\r\n${body}`
    const times = Math.max(1, Math.min(15, Math.floor(SIZE / 4 / section.length)))
    body = `Content-Type: multipart/mixed;boundary=${depth}\r\n\r\n${section.repeat(times)}--${depth}--\r\n`
  }
  return () => ({
    contentType: 'multipart/mixed;boundary=4',
    body: body.slice(body.indexOf('\r\n\r\n') + 4),
  })
}

function boundaryOf({ contentType }: Sent): string {
  return `--${/boundary="?([^";]+)/.exec(contentType)?.[1] ?? ''}`
}

function ordinaryBody(): Sent {
  const message = readFileSync(FIXTURE, 'utf8')
  const end = message.indexOf('\r\n\r\n')
  const contentType = /^Content-Type: *(.*?)\r$/im.exec(message.slice(0, end))?.[1] ?? ''
  return { contentType, body: message.slice(end + 4) }
}

function usOf({ contentType, body }: Sent): number {
  // A message's text is new each time; one that was read before would have lost its ropes and lazy copies.
  const bytes = Buffer.from(body, 'latin1')
  const bodies = Array.from({ length: READINGS }, () => bytes.toString('latin1'))
  return (cpuMsOf(() => readAll(bodies, contentType)) * 1000) / READINGS
}

function readAll(bodies: readonly string[], contentType: string): void {
  for (const body of bodies) readRecordingRequest(contentType, body)
}
