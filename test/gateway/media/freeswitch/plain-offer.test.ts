import fc from 'fast-check'
import t from 'tap'
import {
  offerFrom,
  placeholderOffer,
  readOwnAudio,
  withDirection,
} from '../../../../gateway/media/freeswitch/plain-offer.ts'
import { readSdpOffer } from '../../../../gateway/siprec/sdp-offer.ts'

const OWN_OFFER = [
  'v=0',
  'o=FreeSWITCH 1795577613 1795577614 IN IP4 192.0.2.21',
  's=FreeSWITCH',
  'c=IN IP4 192.0.2.21',
  't=0 0',
  'm=audio 40000 RTP/SAVP 0 8 102 101',
  'a=rtpmap:102 opus/48000/2',
  'a=crypto:1 AEAD_AES_256_GCM_8 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'm=audio 40000 RTP/AVP 0 8 102 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:102 opus/48000/2',
  'a=fmtp:102 useinbandfec=1',
  'a=rtpmap:101 telephone-event/8000',
  'a=ptime:20',
  'a=sendrecv',
  '',
].join('\r\n')

const ANSWER = [
  'v=0',
  'o=FreeSWITCH 7 8 IN IP4 192.0.2.21',
  's=FreeSWITCH',
  'c=IN IP4 192.0.2.21',
  't=0 0',
  'm=audio 40002 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=sendrecv',
  '',
].join('\r\n')

t.test('of FreeSWITCH’s own offer the plain line alone is read', async (t) => {
  t.same(readOwnAudio(OWN_OFFER), {
    formats: '0 8 102 101',
    attributes: [
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:102 opus/48000/2',
      'a=fmtp:102 useinbandfec=1',
      'a=rtpmap:101 telephone-event/8000',
      'a=ptime:20',
    ],
  })
  t.equal(readOwnAudio(OWN_OFFER.replaceAll('RTP/AVP', 'RTP/SAVP')), undefined)
})

t.test('a platform is offered all codecs at the endpoint’s address and port', async (t) => {
  const own = readOwnAudio(OWN_OFFER) ?? { formats: '', attributes: [] }
  for (const [text, port, address] of [
    [placeholderOffer(own), 9, '127.0.0.1'],
    [offerFrom(ANSWER, own), 40_002, '192.0.2.21'],
  ] as const) {
    const reading = readSdpOffer(text)
    if (reading.kind !== 'offer') throw new Error(text)
    const [audio] = reading.offer.media
    t.equal(reading.offer.media.length, 1)
    t.match(audio, { kind: 'audio', port, protocol: 'RTP/AVP', direction: 'sendrecv' })
    t.match(text, `c=IN IP4 ${address}`)
    t.same(
      audio?.formats.map(({ payloadType }) => payloadType),
      [0, 8, 102, 101],
    )
  }
})

t.test('a change of direction is a new version of the same description', async (t) => {
  const held = withDirection(ANSWER, 'sendonly')
  t.match(held, 'o=FreeSWITCH 7 9 IN IP4 192.0.2.21')
  t.match(held, /a=sendonly\r\n$/)
  t.notMatch(held, 'a=sendrecv')
  t.equal(
    withDirection(withDirection(ANSWER, 'inactive'), 'sendrecv').includes('FreeSWITCH 7 10'),
    true,
  )
})

t.test('whatever a server says is read without an exception', async () => {
  for (let end = 0; end <= OWN_OFFER.length; end++) {
    const own = readOwnAudio(OWN_OFFER.slice(0, end)) ?? { formats: '0', attributes: [] }
    withDirection(offerFrom(ANSWER.slice(0, end), own), 'sendrecv')
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      const own = readOwnAudio(text) ?? { formats: '0', attributes: [] }
      withDirection(offerFrom(text, own), 'inactive')
    }),
  )
})
