import fc from 'fast-check'
import t from 'tap'
import { planAnswer } from '../../../gateway/siprec/answer-plan.ts'
import { G711_CAPABILITIES } from '../../../gateway/siprec/media-capabilities.ts'
import { mergeMetadata } from '../../../gateway/siprec/merge-metadata.ts'
import { METADATA_LIMITS } from '../../../gateway/siprec/metadata-draft.ts'
import {
  METADATA_RAW_BYTES,
  type ReadHeaders,
  readRecordingRequest,
} from '../../../gateway/siprec/recording-session-request.ts'
import { readSdpOffer, SDP_LIMITS } from '../../../gateway/siprec/sdp-offer.ts'
import { readXml } from '../../../gateway/siprec/tolerant-xml.ts'
import { writeAnswer } from '../../../gateway/siprec/write-answer.ts'
import { XML_LIMITS } from '../../../gateway/siprec/xml-limits.ts'
import { fixtureNames, readFixture } from './fixture.ts'
import { assertSound, takeWhole } from './take-whole.ts'

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat({ max: 40 }),
  put: fc.oneof(
    fc.constantFrom(
      '<',
      '>',
      '&',
      '"',
      "'",
      '\r\n',
      '\n',
      '\r',
      '\0',
      '--',
      '=',
      ':',
      ';',
      '@',
      '%',
    ),
    fc.constantFrom(
      '<![CDATA[',
      '<!--',
      '<!DOCTYPE',
      ']]>',
      '-->',
      '<recording>',
      '</participant>',
    ),
    fc.constantFrom(
      'm=audio 1 RTP/AVP 0',
      'a=label:1',
      'c=IN IP4 0.0.0.0',
      '\u2028',
      '\ud800',
      'é',
    ),
    fc.string({ maxLength: 20 }),
  ),
})

t.test('mutated messages are taken without an exception and answered soundly', async () => {
  const fixtures = fixtureNames()
    .map(readFixture)
    .filter((fixture) => fixture.body.length < 8192)
  fc.assert(
    fc.property(
      fc.constantFrom(...fixtures),
      fc.array(mutation, { minLength: 1, maxLength: 8 }),
      (fixture, mutations) => {
        let { body } = fixture
        for (const { at, length, put } of mutations) {
          const from = Math.floor(at * body.length)
          body = body.slice(0, from) + put + body.slice(from + length)
        }
        const { request, sdp } = takeWhole({ ...fixture, body })
        assertSound(sdp, request.sdp?.media.length)
      },
    ),
    { numRuns: 1500 },
  )
})

t.test('headers of any text are taken without an exception', async () => {
  const { body, contentType } = readFixture('avaya-sbce/placeholder-invite')
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.string({ maxLength: 100 }), (value, uri) => {
      const headers: ReadHeaders = () => [value, `<sip:${value}`, `"${value}"`]
      takeWhole({ headers, requestUri: uri, contentType, body })
      takeWhole({ headers, requestUri: uri, contentType: value, body })
    }),
    { numRuns: 500 },
  )
})

t.test('a metadata bomb is refused unread, or given up within its limits', async (t) => {
  for (const mark of [
    '<a>',
    '<b/>',
    '<!---->',
    '<![CDATA[]]>',
    '<',
    '</a>',
    '<?x?>',
    '&amp;',
    '&',
  ]) {
    const { root, charactersRead, problems } = readXml(`<a>${mark.repeat(20_000)}`)
    t.same([root, charactersRead], [null, 0], mark)
    t.match(problems, [/^more than \d+ (marks|references): not read$/])
  }
  const deep = readXml('<a>'.repeat(1000))
  t.equal(deep.charactersRead, 3 * XML_LIMITS.depth)
  const wide = readXml(`<a>${'<b/>'.repeat(1500)}</a>`)
  t.equal(wide.charactersRead, 3 + 4 * (XML_LIMITS.elements - 1))
  t.equal(wide.root?.children.length, XML_LIMITS.elements - 1, 'what was read is kept')
  const attributes = readXml(`<a ${'b="c" '.repeat(20_000)}/>`)
  t.equal(attributes.charactersRead, 3 + 6 * (XML_LIMITS.attributes + 1) - 1)
  const text = readXml(
    `<a b="${'x'.repeat(50_000)}">${'&amp;'.repeat(1000)}${'x'.repeat(50_000)}</a>`,
  ).root
  t.equal(text?.attributes.get('b')?.length, XML_LIMITS.textLength)
  t.ok((text?.text.length ?? 0) <= XML_LIMITS.textLength)
  const long = readXml('x'.repeat(XML_LIMITS.length + 1))
  t.same([long.root, long.charactersRead], [null, 0])
  for (const before of ['', '<a><b/>', '<a>'.repeat(2000)]) {
    const entities = readXml(`${before}<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>`)
    t.same([entities.root, entities.charactersRead], [null, 0])
    t.same(entities.problems, ['metadata with a document type is refused'])
  }
})

t.test(
  'a document of nothing but participants stays within the limits, however often it comes',
  async (t) => {
    const participants = (from: number) =>
      Array.from(
        { length: 800 },
        (_, at) => `<participant id="${from + at}"><nameID aor="sip:1@x"/></participant>`,
      )
    const partial = (from: number) =>
      readRecordingRequest(
        'application/rs-metadata',
        `<recording><datamode>partial</datamode>${participants(from).join('')}</recording>`,
      )
    let metadata = partial(0).metadata
    t.equal(metadata?.participants.length, METADATA_LIMITS.objects)
    for (let from = 1000; from < 5000; from += 1000) {
      const update = partial(from).metadata
      if (update !== null) metadata = mergeMetadata(metadata, update)
    }
    t.equal(metadata?.participants.length, METADATA_LIMITS.objects)
  },
)

t.test('the raw metadata is kept to its limit and cut between characters', async (t) => {
  const request = readRecordingRequest('application/rs-metadata', `<a>${'é'.repeat(50_000)}</a>`)
  const raw = request.metadataRaw ?? ''
  t.ok(
    Buffer.byteLength(raw) <= METADATA_RAW_BYTES && Buffer.byteLength(raw) > METADATA_RAW_BYTES - 2,
  )
  t.notMatch(raw, /\ufffd/)
})

t.test('a description past a limit is unreadable, and says which', async (t) => {
  const media = (count: number) => `v=0\r\n${'m=audio 1 RTP/AVP 0\r\n'.repeat(count)}`
  t.equal(readSdpOffer(media(SDP_LIMITS.media)).kind, 'offer')
  t.same(readSdpOffer(media(SDP_LIMITS.media + 1)), {
    kind: 'unreadable',
    problem: 'more than 32 m-lines',
  })
  t.same(readSdpOffer('a\n'.repeat(SDP_LIMITS.lines + 1)), {
    kind: 'unreadable',
    problem: 'session description of more than 2048 lines',
  })
  t.match(readSdpOffer('a'.repeat(SDP_LIMITS.length + 1)), { kind: 'unreadable' })
})

t.test('what an offer holds cannot write lines into the answer', async (t) => {
  const hostile = [
    'v=0',
    'm=audio 5000 RTP/AVP 0\u2028m=audio',
    'a=label:1\u0085a=sendrecv',
    'a=fmtp:0 x\ry=z',
    'm=video 1 RTP\u0000AVP 97\u000bq',
  ].join('\r\n')
  const reading = readSdpOffer(hostile)
  if (reading.kind !== 'offer') throw new Error(reading.problem)
  const plan = planAnswer(reading.offer, { capabilities: G711_CAPABILITIES })
  if (plan.kind !== 'answer') throw new Error(plan.problem)
  const port = { streamId: plan.streams[0]?.streamId ?? '', address: '::', rtpPort: 2, rtcpPort: 3 }
  const sdp = writeAnswer(plan, [port], { address: '192.0.2.1', sessionId: '1', version: 1 })
  t.equal(sdp.split('\r\n').filter((line) => line.startsWith('m=')).length, 2)
  t.match(sdp, /^[\x20-\x7e\r\n]+$/)
})
