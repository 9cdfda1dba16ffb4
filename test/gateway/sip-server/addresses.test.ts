import fc from 'fast-check'
import t from 'tap'
import { formatAddress } from '../../../base/address.ts'
import { headerKey, headerSpelling } from '../../../gateway/sip-server/header-names.ts'
import { withLocalHost } from '../../../gateway/sip-server/message-writer.ts'
import { parseNameAddress, splitList, tagOf } from '../../../gateway/sip-server/name-address.ts'
import { parseSipUri, uriParameter, withHostPort } from '../../../gateway/sip-server/sip-uri.ts'
import { formatVia, parseVia, splitTopVia, stampVia } from '../../../gateway/sip-server/via.ts'

t.test('a SIP URI gives its host and port, IPv6 without brackets', async (t) => {
  t.match(parseSipUri('sip:+12025550100@192.0.2.1:5070;transport=tcp?X=y'), {
    scheme: 'sip',
    user: '+12025550100',
    host: '192.0.2.1',
    port: 5070,
    rest: ';transport=tcp?X=y',
  })
  t.match(parseSipUri('SIPS:[2001:db8::1]:5061'), {
    scheme: 'sips',
    user: undefined,
    host: '2001:db8::1',
    port: 5061,
  })
  t.match(parseSipUri('sip:user:pass;x=1@pbx.example'), {
    user: 'user:pass;x=1',
    host: 'pbx.example',
  })
  for (const bad of ['tel:+12025550100', 'sip:', 'sip:a@', 'sip:a@b:70000', 'sip:a@b c', '']) {
    t.equal(parseSipUri(bad), undefined, bad)
  }
})

t.test('URI parameters are found in any case, without their headers', async (t) => {
  const uri = parseSipUri('sip:a@192.0.2.1;LR;Transport=UDP?transport=x')
  if (uri === undefined) throw new Error('no uri')
  t.equal(uriParameter(uri, 'lr'), '')
  t.equal(uriParameter(uri, 'transport'), 'UDP')
  t.equal(uriParameter(uri, 'maddr'), undefined)
  t.equal(
    withHostPort(uri, '2001:db8::9', 5060),
    'sip:a@[2001:db8::9]:5060;LR;Transport=UDP?transport=x',
  )
  t.equal(formatAddress({ host: '192.0.2.1', port: 5060 }), '192.0.2.1:5060')
})

t.test('an address keeps its display name and parameters apart from its URI', async (t) => {
  const address = parseNameAddress('"Desk, \\"<1>\\"" <sip:a@192.0.2.1;x=y>;tag=abc;z')
  t.same(address, {
    display: '"Desk, \\"<1>\\""',
    uri: 'sip:a@192.0.2.1;x=y',
    parameters: ';tag=abc;z',
  })
  t.equal(address && tagOf(address), 'abc')
  t.same(parseNameAddress('sip:a@192.0.2.1;tag=q'), {
    display: '',
    uri: 'sip:a@192.0.2.1',
    parameters: ';tag=q',
  })
  for (const bad of ['', 'Someone', '<sip:a@b', '<>', '<sip:a@b> junk']) {
    t.equal(parseNameAddress(bad), undefined, bad)
  }
})

t.test('commas in quotes and brackets do not split a list', async (t) => {
  t.same(splitList('"a, b" <sip:a@b>, <sip:c,d@e;lr>,,sip:f@g '), [
    '"a, b" <sip:a@b>',
    '<sip:c,d@e;lr>',
    'sip:f@g',
  ])
})

t.test('localhost in an address gives way to the server, parameters stay', async (t) => {
  const local = { host: '192.0.2.1', port: 5070 }
  t.equal(
    withLocalHost('"Rec" <sip:rec@localhost;transport=tcp>;+sip.srs', local),
    '"Rec" <sip:rec@192.0.2.1:5070;transport=tcp>;+sip.srs',
  )
  t.equal(withLocalHost('sip:+12025550100@localhost', local), '<sip:+12025550100@192.0.2.1:5070>')
})

t.test('a Via says where the request came from', async (t) => {
  const source = { host: '198.51.100.7', port: 40_000 }
  const stamp = (value: string) => {
    const via = parseVia(value)
    return via === undefined ? undefined : stampVia(value, via, source)
  }
  t.equal(
    stamp('SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKa'),
    'SIP/2.0/UDP 10.0.0.1:5060;rport=40000;branch=z9hG4bKa;received=198.51.100.7',
  )
  t.equal(
    stamp('SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKa'),
    'SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKa;rport=40000',
  )
  t.equal(
    stamp('SIP/2.0/UDP 198.51.100.7;received=203.0.113.9;branch=z9hG4bKa;rport=1'),
    'SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKa;rport=40000',
  )
  t.match(parseVia('SIP / 2.0 / TLS [2001:db8::5]:5061 ;branch=z9hG4bKb'), {
    transport: 'TLS',
    host: '2001:db8::5',
    port: 5061,
    branch: 'z9hG4bKb',
  })
  t.same(splitTopVia('SIP/2.0/UDP a;branch=1 , SIP/2.0/TCP b'), {
    top: 'SIP/2.0/UDP a;branch=1',
    others: ', SIP/2.0/TCP b',
  })
  t.equal(
    formatVia({ protocol: 'tcp', host: '2001:db8::1', port: 5060, branch: 'z9hG4bKc' }),
    'SIP/2.0/TCP [2001:db8::1];branch=z9hG4bKc',
  )
  t.equal(
    formatVia({ protocol: 'udp', host: '192.0.2.1', port: 5061, branch: 'z9hG4bKc' }),
    'SIP/2.0/UDP 192.0.2.1:5061;rport;branch=z9hG4bKc',
  )
  t.equal(
    formatVia({ protocol: 'tls', host: '192.0.2.1', port: 5061, branch: 'z9hG4bKc' }),
    'SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKc',
  )
})

t.test('header names are spelt as a drachtio server spells them', async (t) => {
  t.equal(headerKey('M'), 'contact')
  t.equal(headerKey('x'), 'session-expires')
  for (const [given, written] of [
    ['call-id', 'Call-ID'],
    ['cseq', 'CSeq'],
    ['www-authenticate', 'WWW-Authenticate'],
    ['session-expires', 'Session-Expires'],
    ['X-A', 'X-A'],
    ['x-call-id', 'x-call-id'],
    ['p-asserted-identity', 'P-Asserted-Identity'],
  ]) {
    t.equal(headerSpelling(given ?? ''), written)
  }
})

t.test('long runs of blanks cost no more than their length', async (t) => {
  const blanks = ' '.repeat(500_000)
  const before = process.cpuUsage()
  const via = `SIP/2.0/UDP 192.0.2.1${blanks};branch=z9hG4bKa;${blanks}x`
  const parsed = parseVia(via)
  if (parsed !== undefined) stampVia(via, parsed, { host: '192.0.2.2', port: 1 })
  parseNameAddress(`<sip:a@b>;${blanks}tag${blanks}`)
  parseSipUri(`sip:${blanks}@${blanks}`)
  const { user } = process.cpuUsage(before)
  t.ok(user < 10_000_000, `${user} µs, and not the minutes that quadratic reading takes`)
})

t.test('no text makes an address, URI or Via parser throw', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc
      .array(
        fc.constantFrom(
          'sip:',
          '<',
          '>',
          '"',
          '\\',
          ';',
          ',',
          '@',
          '[',
          ']',
          ':',
          'SIP/2.0/UDP ',
          'a',
        ),
        {
          maxLength: 30,
        },
      )
      .map((pieces) => pieces.join('')),
  )
  fc.assert(
    fc.property(text, (value) => {
      parseNameAddress(value)
      splitList(value)
      parseSipUri(value)
      withLocalHost(value, { host: '192.0.2.1', port: 5060 })
      const via = parseVia(splitTopVia(value).top)
      if (via !== undefined) stampVia(value, via, { host: '192.0.2.1', port: 1 })
    }),
    { numRuns: 500 },
  )
  t.pass('nothing threw')
})
