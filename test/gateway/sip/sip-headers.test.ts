import t from 'tap'
import { localContact } from '../../../gateway/sip/local-contact.ts'
import { recordingContact } from '../../../gateway/sip/sip-headers.ts'
import type { SipRequest } from '../../../gateway/sip/sip-surface.ts'
import { sourceUri } from '../../../gateway/sip/source-uri.ts'

function request(protocol: string, uri: string, headers: Readonly<Record<string, string>> = {}) {
  const get = (name: string) => headers[name]
  return { protocol, uri, get } as Pick<SipRequest, 'protocol' | 'uri' | 'get'> as SipRequest
}

t.test(
  'the Contact names the transport, and is SIPS where the request asks for that',
  async (t) => {
    const sip = 'sip:rec@192.0.2.1'
    t.equal(recordingContact(request('udp', sip)), '<sip:recorder@localhost>;+sip.srs')
    t.equal(
      recordingContact(request('tls', sip)),
      '<sip:recorder@localhost;transport=tls>;+sip.srs',
    )
    const sips = '<sips:recorder@localhost>;+sip.srs'
    t.equal(recordingContact(request('tls', 'sips:rec@192.0.2.1')), sips)
    t.equal(
      recordingContact(request('tls', sip, { Contact: '<sips:sbc@192.0.2.9>;+sip.src' })),
      sips,
    )
    const route = { Contact: '<sip:a@b>', 'Record-Route': '<sips:proxy.example.com;lr>, <sip:c>' }
    t.equal(recordingContact(request('tls', sip, route)), sips)
    const mixed = { Contact: '<sips:a@b>', 'Record-Route': '<sip:proxy.example.com;lr>, <sips:c>' }
    t.match(recordingContact(request('tls', sip, mixed)), /^<sip:/, 'the top route alone counts')
  },
)

t.test('where a message came from is reached over the same transport', async (t) => {
  const source = { source_address: '2001:db8::1', source_port: 5070 }
  t.equal(sourceUri(source, 'sip:a@pbx.example.com'), 'sip:[2001:db8::1]:5070')
  t.equal(sourceUri(source, 'sip:a@b;transport=tcp'), 'sip:[2001:db8::1]:5070;transport=tcp')
  t.equal(sourceUri(source, 'sips:a@b'), 'sip:[2001:db8::1]:5070;transport=tls')
})

t.test('a Contact toward a target is of its scheme and transport', async (t) => {
  t.equal(localContact('a', 'sip:pbx.example.com'), '<sip:a@localhost>')
  t.equal(localContact('a', 'sip:pbx;transport=tls'), '<sip:a@localhost;transport=tls>')
  t.equal(localContact('a', 'sips:pbx.example.com'), '<sips:a@localhost>')
})
