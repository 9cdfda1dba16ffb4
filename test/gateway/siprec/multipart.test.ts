import t from 'tap'
import { MULTIPART_LIMITS, readBody } from '../../../gateway/siprec/multipart.ts'

const SDP = 'v=0\r\nm=audio 1 RTP/AVP 0'

function contents(contentType: string, body: string) {
  const { parts, problems } = readBody(contentType, body)
  return { parts: parts.map(({ mediaType, content }) => [mediaType, content]), problems }
}

const TWO = [
  ['application/sdp', SDP],
  ['application/rs-metadata', '<recording/>'],
]

for (const [name, contentType, body] of [
  [
    'as the standard has it',
    'multipart/mixed;boundary=b',
    `--b\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n--b\r\nContent-Type: application/rs-metadata\r\n\r\n<recording/>\r\n--b--\r\n`,
  ],
  [
    'with a quoted boundary, a preamble and an epilogue',
    'Multipart/Mixed; charset=utf-8; boundary="b c"',
    `\r\nsee below\r\n--b c\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n--b c\r\nContent-Type: application/rs-metadata\r\n\r\n<recording/>\r\n--b c--\r\nbye`,
  ],
  [
    'with bare line feeds between the parts',
    'multipart/mixed;boundary=b',
    `--b\nContent-Type: application/sdp\n\n${SDP}\n--b\nContent-Type: application/rs-metadata\n\n<recording/>\n--b--`,
  ],
  [
    'with headers run together, folded and miscounted',
    'multipart/mixed;boundary=b',
    `--b\r\nContent-Type:application/sdp;\r\n charset=utf-8\r\nContent-Length: 7\r\n\r\n${SDP}\r\n--b  \r\ncontent-type:APPLICATION/RS-METADATA\r\n\r\n<recording/>\r\n--b-- \r\n`,
  ],
] as const) {
  t.test(`a body ${name} has its parts`, async (t) => {
    t.same(contents(contentType, body), { parts: TWO, problems: [] })
  })
}

t.test('a body that is not closed has its last part, and the lack is told', async (t) => {
  const body = `--b\r\nContent-Type: application/sdp\r\n\r\n${SDP}`
  t.same(contents('multipart/mixed;boundary=b', body), {
    parts: [['application/sdp', SDP]],
    problems: ['multipart without a closing boundary'],
  })
})

t.test('a boundary that Content-Type lacks or misnames is taken from the body', async (t) => {
  const body = `--real\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n--real--`
  const expected = {
    parts: [['application/sdp', SDP]],
    problems: ['boundary taken from the body, not from Content-Type'],
  }
  t.same(contents('multipart/mixed', body), expected)
  t.same(contents('multipart/mixed;boundary=other', body), expected)
})

t.test('a multipart inside a multipart is taken apart as well', async (t) => {
  const inner = `--in\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n--in\r\n\r\nplain\r\n--in--`
  const body = `--out\r\nContent-Type: multipart/related;boundary=in\r\n\r\n${inner}\r\n--out\r\nContent-Type: application/gtd\r\n\r\nIAM,\r\n--out--`
  t.same(contents('multipart/mixed;boundary=out', body), {
    parts: [
      ['application/sdp', SDP],
      ['', 'plain'],
      ['application/gtd', 'IAM,'],
    ],
    problems: [],
  })
})

t.test('a part that begins without headers is content', async (t) => {
  t.same(contents('multipart/mixed;boundary=b', `--b\r\n${SDP}\r\n--b--`).parts, [['', SDP]])
})

t.test('a body of one type is one part', async (t) => {
  t.same(contents('application/SDP; charset=x', SDP).parts, [['application/sdp', SDP]])
  t.same(contents('', '').parts, [['', '']])
})

t.test('nesting, parts and length are bounded', async (t) => {
  const nested = 'multipart/mixed;boundary=b'
  let deep = 'x'
  for (let depth = 0; depth < 9; depth++) {
    deep = `--b${depth}\r\nContent-Type: multipart/mixed;boundary=b${depth - 1}\r\n\r\n${deep}\r\n--b${depth}--`
  }
  t.same(contents('multipart/mixed;boundary=b8', deep), {
    parts: [],
    problems: [`multipart nested deeper than ${MULTIPART_LIMITS.depth}`],
  })
  const many = contents(nested, `--b\r\n\r\nx\r\n`.repeat(1000))
  t.equal(many.parts.length, MULTIPART_LIMITS.parts)
  t.same(many.problems, ['more than 16 body parts: the rest is not read'])
  const inner =
    'Content-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\nContent-Type: multipart/mixed\r\n'
  const wide = contents(nested, `--b\r\n${inner}--c--\r\n`.repeat(40))
  t.match(wide.problems.at(-1), 'too many parts within parts: the rest is not read')
  const lookalikes = contents(
    nested,
    `--b\r\n\r\nx ${'--b '.repeat(1000)}\r\n--b\r\n\r\ny\r\n--b--`,
  )
  t.equal(
    lookalikes.parts.length,
    1,
    'what looks like a boundary is looked at so often and no more',
  )
  const long = contents('text/plain', 'x'.repeat(MULTIPART_LIMITS.bodyLength + 1))
  t.equal(long.parts[0]?.[1]?.length, MULTIPART_LIMITS.bodyLength)
  t.match(long.problems, [/more than 262144: the rest is not read/])
})
