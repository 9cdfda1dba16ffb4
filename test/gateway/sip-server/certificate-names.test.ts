import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { certificateNames, isNamed } from '../../../gateway/sip-server/certificate-names.ts'
import { TestAuthority } from '../certificates.ts'

const authority = new TestAuthority(t)

function namesOf(...names: readonly string[]): readonly string[] {
  const { cert } = authority.issue(names)
  return certificateNames(new X509Certificate(readFileSync(cert)).toLegacyObject())
}

t.test('hosts, domains of SIP URIs and addresses are names', async (t) => {
  t.same(
    namesOf(
      'DNS:SBC1.Example.com',
      'URI:sip:example.com',
      'URI:sips:user@example.org',
      'URI:https://example.net',
      'email:sbc@example.com',
      'IP:192.0.2.1',
      'IP:2001:db8::1',
    ),
    ['sbc1.example.com', 'example.com', '192.0.2.1', '2001:db8::1'],
  )
})

t.test('the common name counts only where there is no other', async (t) => {
  t.same(namesOf(), ['nobody'])
  t.same(namesOf('URI:https://example.net'), ['nobody'])
  t.same(certificateNames({ subject: { CN: ['a', 'b'] } } as never), ['a', 'b'])
  t.same(certificateNames({} as never), [])
})

t.test('a name with a comma in it cannot pass for two', async (t) => {
  const subjectaltname = 'DNS:"a.example, DNS:sbc1.example.com, DNS:b.example", DNS:c.example'
  t.same(certificateNames({ subjectaltname } as never), ['c.example'])
})

t.test('a star stands for one label', async (t) => {
  const proven = ['*.example.com', 'plain.example.org', '*.2.0.192', '*']
  t.equal(isNamed(proven, 'SBC1.example.com'), true)
  t.equal(isNamed(proven, 'sbc1.example.com.'), true)
  t.equal(isNamed(proven, 'plain.example.org'), true)
  t.equal(isNamed(proven, 'a.b.example.com'), false)
  t.equal(isNamed(proven, 'example.com'), false)
  t.equal(isNamed(proven, '.example.com'), false)
  t.equal(isNamed(proven, '1.2.0.192'), false)
  t.equal(isNamed(proven, 'com'), false)
  t.equal(isNamed(['2001:db8::1'], '2001:DB8:0:0::0001'), true)
})

t.test('no text makes a comparison throw', async () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (subjectaltname, wanted) => {
      isNamed(certificateNames({ subjectaltname } as never), wanted)
    }),
  )
})
