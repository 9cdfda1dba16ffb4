import fc from 'fast-check'
import t from 'tap'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'
import {
  choosePassedFormats,
  mayReceive,
  maySend,
  readPartyDescription,
} from '../../../gateway/media/party-description.ts'
import { writeDescription } from '../../../gateway/media/write-description.ts'
import { G711_CAPABILITIES } from '../../../gateway/siprec/media-capabilities.ts'

const OFFER = [
  'v=0',
  'o=pbx 1 1 IN IP4 192.0.2.5',
  's=Call',
  'c=IN IP4 192.0.2.5',
  't=0 0',
  'm=video 5000 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  'm=audio 4000 RTP/AVP 18 8 97 101',
  'a=rtpmap:18 G729/8000',
  'a=fmtp:18 annexb=no',
  'a=rtpmap:97 opus/48000/2',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:30',
  'a=maxptime:60',
  'a=rtcp:4055 IN IP4 192.0.2.6',
  'a=candidate:1 1 UDP 1 192.0.2.7 4000 typ host',
  'a=sendonly',
  '',
].join('\r\n')

const place = { address: '203.0.113.1', rtpPort: 30_000, sessionId: '9', version: 1 }

function rewrite(sdp: string, isRecorded: boolean): string {
  const description = readPartyDescription(sdp, 'unusable_offer')
  const { lines, audio, attributes } = description
  const capabilities = G711_CAPABILITIES
  const { formats } = choosePassedFormats(description, { capabilities, isRecorded })
  const line = { ...audio, formats, attributes, crypto: [] }
  return writeDescription({ lines, audioIndex: audio.index }, line, place)
}

t.test('a description keeps its m-lines and its meaning, and names nobody else', (t) => {
  t.equal(
    rewrite(OFFER, true),
    [
      'v=0',
      'o=- 9 1 IN IP4 203.0.113.1',
      's=-',
      'c=IN IP4 203.0.113.1',
      't=0 0',
      'm=video 0 RTP/AVP 96',
      'm=audio 30000 RTP/AVP 8 101',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=ptime:30',
      'a=maxptime:60',
      'a=sendonly',
      '',
    ].join('\r\n'),
  )
  t.end()
})

t.test('a call that is not recorded keeps all its codecs', (t) => {
  const passed = rewrite(OFFER, false)
  t.match(passed, /m=audio 30000 RTP\/AVP 18 8 97 101\r/)
  t.match(passed, /a=rtpmap:97 opus\/48000\/2\r\n/)
  t.match(passed, /a=fmtp:18 annexb=no\r\n/)
  t.end()
})

t.test('keys end here, and what they protect can be recorded', (t) => {
  const key = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'
  const offer = `${OFFER.replace('m=audio 4000 RTP/AVP', 'm=audio 4000 RTP/SAVP')}${key}\r\n`
  const description = readPartyDescription(offer, 'unusable_offer')
  const capabilities = G711_CAPABILITIES
  t.ok(choosePassedFormats(description, { capabilities, isRecorded: true }).isRecordable)
  t.notMatch(description.attributes.join(), /crypto/)
  t.end()
})

t.test('what needs a handshake with its peer, or is no audio, cannot pass', (t) => {
  for (const [from, to] of [
    ['audio 4000 RTP/AVP', 'audio 4000 UDP/TLS/RTP/SAVPF'],
    ['audio 4000', 'audio 0'],
    ['m=audio', 'm=image'],
  ] as const) {
    t.throws(() => readPartyDescription(OFFER.replace(from, to), 'unusable_offer'), {
      code: 'unusable_offer',
    })
  }
  t.end()
})

t.test('IPv6 and a hold in the old way are written as such', (t) => {
  const held = OFFER.replace('c=IN IP4 192.0.2.5', 'c=IN IP4 0.0.0.0').replace('a=sendonly\r\n', '')
  const { audio, lines } = readPartyDescription(held, 'unusable_offer')
  const description = readPartyDescription(held, 'unusable_offer')
  t.ok(maySend(description))
  t.notOk(mayReceive(description))
  const layout = { lines, audioIndex: audio.index }
  const written = writeDescription(
    layout,
    { ...audio, attributes: [], crypto: [] },
    { ...place, address: '2001:db8::1' },
  )
  t.match(written, /^c=IN IP6 2001:db8::1\r$/m)
  t.match(written, /^m=audio 30000 [^\r]+\r\nc=IN IP6 ::\r$/m)
  t.end()
})

t.test('a description cut anywhere is read or refused, and what is written can be read', (t) => {
  const attempt = (sdp: string) => {
    try {
      readPartyDescription(rewrite(sdp, true), 'unusable_offer')
      return 'passed'
    } catch (error) {
      if (error instanceof TallenneError && error.code === 'unusable_offer') return 'refused'
      return messageOf(error)
    }
  }
  const outcomes = new Set(Array.from(OFFER, (_, end) => attempt(OFFER.slice(0, end))))
  t.same([...outcomes].sort(), ['passed', 'refused'])
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: OFFER.length }),
      fc.string({ unit: 'binary', maxLength: 40 }),
      (at, noise) =>
        ['passed', 'refused'].includes(attempt(OFFER.slice(0, at) + noise + OFFER.slice(at))),
    ),
  )
  t.end()
})
