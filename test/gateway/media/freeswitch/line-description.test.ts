import fc from 'fast-check'
import t from 'tap'
import { readLine, writeLineOffer } from '../../../../gateway/media/freeswitch/line-description.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU', clockRate: 8000, channels: 1, fmtp: null }
const OPUS = {
  payloadType: 96,
  encoding: 'opus',
  clockRate: 48_000,
  channels: 2,
  fmtp: 'useinbandfec=1',
}
const KEY = '1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'
const PLAIN = {
  formats: [OPUS, PCMU],
  ptimeMs: 20,
  crypto: [],
  remote: { address: '192.0.2.1', port: 24_580 },
}

t.test('a line is described alone, as one that only sends', async (t) => {
  t.same(writeLineOffer(PLAIN, 2).split('\r\n'), [
    'v=0',
    'o=- 1 2 IN IP4 192.0.2.1',
    's=-',
    'c=IN IP4 192.0.2.1',
    't=0 0',
    'm=audio 24580 RTP/AVP 96 0',
    'a=rtpmap:96 opus/48000/2',
    'a=fmtp:96 useinbandfec=1',
    'a=rtpmap:0 PCMU/8000',
    'a=ptime:20',
    'a=sendonly',
    '',
  ])
})

t.test('keys make it secure, and a client without an address sends from anywhere', async (t) => {
  const sdp = writeLineOffer({ ...PLAIN, crypto: [KEY], remote: undefined }, 1)
  t.match(sdp, /^m=audio 9 RTP\/SAVP 96 0\r$/m)
  t.match(sdp, new RegExp(`^a=crypto:${KEY}\r$`, 'm'))
  t.match(sdp, /^c=IN IP4 127\.0\.0\.1\r$/m)
  const wide = writeLineOffer({ ...PLAIN, remote: { address: '2001:db8::1', port: 9000 } }, 1)
  t.match(wide, /^c=IN IP6 2001:db8::1\r$/m)
})

const ANSWER = [
  'v=0',
  'o=FreeSWITCH 1 2 IN IP4 192.0.2.21',
  's=FreeSWITCH',
  'c=IN IP4 192.0.2.21',
  't=0 0',
  'm=audio 30000 RTP/SAVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  `a=crypto:${KEY}`,
  'a=ptime:20',
  'a=recvonly',
  '',
].join('\r\n')

t.test('of an answer the place, the codec and the keys are read', async (t) => {
  t.match(readLine(ANSWER), {
    address: '192.0.2.21',
    rtpPort: 30_000,
    rtcpPort: 30_001,
    line: { formats: [{ payloadType: 0 }, { payloadType: 101 }], ptimeMs: 20, crypto: [KEY] },
  })
})

t.test('an answer cut anywhere, or noise, is read or refused with a code', async (t) => {
  const isTaken = (sdp: string) => {
    try {
      return readLine(sdp).rtpPort > 0
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'no_media_server'
    }
  }
  for (let end = 0; end < ANSWER.length; end++) t.ok(isTaken(ANSWER.slice(0, end)), `cut at ${end}`)
  fc.assert(fc.property(fc.string({ maxLength: 200 }), isTaken))
})
