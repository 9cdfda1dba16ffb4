import fc from 'fast-check'
import t from 'tap'
import { gatherEvidence } from '../../../gateway/siprec/identification-evidence.ts'
import {
  callReference,
  findReferences,
  mergeReferences,
  REFERENCE_SOURCES,
} from '../../../gateway/siprec/platform-references.ts'
import { readRecordingMetadata } from '../../../gateway/siprec/read-metadata.ts'

function references(xml: string | null, headers: Readonly<Record<string, string>> = {}) {
  const metadata =
    xml === null ? null : readRecordingMetadata(`<recording>${xml}</recording>`).metadata
  const statements = {
    headers: (name: string) => [headers[name] ?? []].flat(),
    requestUri: 'sip:recorder@192.0.2.10',
    metadata,
    serviceNumbers: [],
  }
  return findReferences(REFERENCE_SOURCES, gatherEvidence(statements, 'FI'))
}

function values(xml: string | null, headers: Readonly<Record<string, string>> = {}) {
  return references(xml, headers).map(({ kind, value }) => `${kind} ${value}`)
}

t.test('a UCID is one, however it is written', async (t) => {
  const ucid = ['ucid 0001183F5093914D']
  for (const written of [
    '00FA080001183F5093914D;encoding=hex',
    'FA080001183F5093914D',
    '04FA080001183f5093914d;encoding=hex',
    '000001183F5093914D',
    '0001183F5093914D',
    '00001062071351848269',
  ]) {
    t.same(values(null, { 'User-to-User': written }), ucid, written)
  }
  t.same(values('<session id="00FA080001183F5093914D"/>'), ucid)
  t.same(
    values(
      '<session id="S"><extensiondata><ucid>00FA080001183F5093914D</ucid></extensiondata></session>',
    ),
    ucid,
  )
  t.same(values(null, { 'User-to-User': '56464654676565;encoding=hex' }), [])
  t.same(values(null, { 'User-to-User': '99999062071351848269' }), [], 'a node beyond two bytes')
})

t.test('a Cisco GUID in four decimal words is that in 32 digits', async (t) => {
  t.same(values(null, { 'Cisco-Guid': '0168496141-0300945902-2147592891-3437096703' }), [
    'cisco-guid 0a0b0c0d11f011ee8001aabbccddeeff',
  ])
  t.same(values(null, { 'Cisco-Guid': '4294967296-0-0-0' }), [])
})

t.test(
  'both ends of a Session-ID are references, and a Call-ID in its place is a Call-ID',
  async (t) => {
    const id = (digit: string) => digit.repeat(32)
    t.same(
      values(
        `<session id="1"><sipSessionID>${id('a')};\n remote=${id('B')}</sipSessionID></session>`,
      ),
      [`session-id ${id('a')}`, `session-id ${id('b')}`],
    )
    t.same(values(null, { 'Session-ID': `${id('c')};remote=${id('0')}` }), [
      `session-id ${id('c')}`,
    ])
    t.same(values('<session id="1"><sipSessionID>a1b2@203.0.113.5</sipSessionID></session>'), [
      'call-id a1b2@203.0.113.5',
    ])
  },
)

t.test('the legs of a cluster are named with their cluster', async (t) => {
  const from =
    '<sip:4001@203.0.113.9;x-nearend;x-refci=81;x-nearendclusterid=C1;x-farendrefci=82;x-farendclusterid=C2>'
  t.same(values(null, { From: from }), ['cucm-call C1/81', 'cucm-call C2/82'])
})

t.test('only UUIDs of the metadata are references, in any spelling', async (t) => {
  const uuid = 'rfc7865-session 6ee6f1ba7a7d4d5f9a0e000000000001'
  for (const id of [
    '6ee6f1ba-7a7d-4d5f-9a0e-000000000001',
    'urn:uuid:6EE6F1BA-7A7D-4D5F-9A0E-000000000001',
    'bubxunp9TV+aDgAAAAAAAQ==',
  ]) {
    t.same(values(`<session id="${id}"/>`), [uuid], id)
  }
  for (const id of ['', 'S1', '+12025550147', 'UzE==', 'abcdef12345678901234', '1'.repeat(32)]) {
    t.same(values(`<session id="${id}"/>`), [], id)
  }
})

t.test('a participant names no contact, and what is said later adds to what was', async (t) => {
  const person =
    '<participant id="6ee6f1ba-7a7d-4d5f-9a0e-000000000002"><nameID aor="sip:1@x"/></participant>'
  const first = references(person)
  t.match(first, [{ kind: 'rfc7865-participant', isGuess: true }])
  t.equal(callReference(first), null)
  const later = references(person, { 'AC-Session-ID': 'b93dc1ceff1d1459' })
  const both = mergeReferences(first, later)
  t.same(
    both.map(({ kind }) => kind),
    ['rfc7865-participant', 'audiocodes-session'],
  )
  t.equal(callReference(both)?.value, 'b93dc1ceff1d1459')
})

t.test(
  'headers of any text give references that can be stored, and never an exception',
  async () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2000, unit: 'binary' }), (text) => {
        const headers = () => [text, `<sip:1@x;x-refci=${text};x-nearendclusterid=${text}>`]
        const statements = { headers, requestUri: text, metadata: null, serviceNumbers: [] }
        const found = findReferences(REFERENCE_SOURCES, gatherEvidence(statements, 'FI'))
        return found.length <= 32 && found.every(({ value }) => /^[!-~]{1,255}$/.test(value))
      }),
      { numRuns: 500 },
    )
  },
)
