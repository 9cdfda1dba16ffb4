import t from 'tap'
import { readSdpOffer, type SdpOffer } from '../../../gateway/siprec/sdp-offer.ts'

function read(...lines: readonly string[]): SdpOffer {
  const reading = readSdpOffer(lines.join('\r\n'))
  if (reading.kind !== 'offer') throw new Error(reading.problem)
  return reading.offer
}

t.test('an m-line has all that stands below it', async (t) => {
  const offer = read(
    'v=0',
    'o=CiscoSystemsSIP-GW-UserAgent 8761 4 IN IP4 198.51.100.5',
    's=SIP Call',
    'c=IN IP4 198.51.100.5',
    't=0 0',
    'm=audio 16390 RTP/AVP 0 111 101 19 9',
    'c=IN IP4 198.51.100.6/127',
    'a=rtpmap:111 OPUS/48000/2',
    'a=fmtp:111 useinbandfec=1; stereo=0',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:30',
    'a=rtcp:16395 IN IP4 198.51.100.6',
    'a=rtcp-mux',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^31',
    'a=sendonly',
    'a=label:1',
    '',
  )
  t.equal(offer.sessionId, '8761')
  t.equal(offer.sessionVersion, '4')
  t.same(offer.media, [
    {
      index: 0,
      kind: 'audio',
      port: 16_390,
      protocol: 'RTP/AVP',
      formatTokens: ['0', '111', '101', '19', '9'],
      formats: [
        { payloadType: 0, encoding: 'PCMU', clockRate: 8000, channels: 1, fmtp: null },
        {
          payloadType: 111,
          encoding: 'OPUS',
          clockRate: 48_000,
          channels: 2,
          fmtp: 'useinbandfec=1; stereo=0',
        },
        {
          payloadType: 101,
          encoding: 'telephone-event',
          clockRate: 8000,
          channels: 1,
          fmtp: '0-16',
        },
        { payloadType: 19, encoding: 'CN', clockRate: 8000, channels: 1, fmtp: null },
        { payloadType: 9, encoding: 'G722', clockRate: 8000, channels: 1, fmtp: null },
      ],
      direction: 'sendonly',
      isHeld: false,
      address: '198.51.100.6',
      label: '1',
      ptimeMs: 30,
      rtcpPort: 16_395,
      hasRtcpMux: true,
      crypto: ['1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^31'],
    },
  ])
})

t.test('session values stand where an m-line has none of its own', async (t) => {
  const { media } = read(
    'c=IN IP6 2001:db8::1',
    'a=inactive',
    'm=audio 1 RTP/AVP 0',
    'm=audio 2 RTP/AVP 0',
    'c=IN IP4 0.0.0.0',
    'a=SENDONLY',
  )
  t.same(
    media.map(({ address, direction, isHeld }) => [address, direction, isHeld]),
    [
      ['2001:db8::1', 'inactive', false],
      ['0.0.0.0', 'sendonly', true],
    ],
  )
})

t.test('a direction that nobody gives is sendrecv, and :: is a hold', async (t) => {
  const { media } = read('c=IN IP6 ::', 'm=audio 1 RTP/AVP 0')
  t.match(media[0], { direction: 'sendrecv', isHeld: true })
})

t.test('line ends of any kind, stray spaces and unknown lines are passed over', async (t) => {
  const reading = readSdpOffer(
    'v=0 \n\r\nx=1\rm=Audio  7/2 rtp/avp 8 \na=ptime: 20\n a=label: 5 \nnonsense',
  )
  t.match(reading, {
    offer: {
      media: [
        {
          kind: 'audio',
          port: 7,
          protocol: 'rtp/avp',
          formatTokens: ['8'],
          ptimeMs: 20,
          label: '5',
        },
      ],
    },
  })
})

t.test('an m-line that makes no sense keeps its slot', async (t) => {
  const { media } = read(
    'm=audio x RTP/AVP 0',
    'm=audio 99999 RTP/AVP 0',
    'm=',
    'm=text 9 TCP/MSRP *',
  )
  t.same(
    media.map(({ kind, port, formats }) => [kind, port, formats.length]),
    [
      ['audio', 0, 1],
      ['audio', 0, 1],
      ['', 0, 0],
      ['text', 9, 0],
    ],
  )
})

t.test('payload types are 0 to 127, and a dynamic one that nothing maps is unknown', async (t) => {
  const { media } = read(
    'm=audio 1 RTP/AVP 128 x 96 127',
    'a=rtpmap:127 PCMA/8000',
    'a=rtpmap:96 broken',
  )
  t.same(
    media[0]?.formats.map(({ payloadType, encoding, clockRate }) => [
      payloadType,
      encoding,
      clockRate,
    ]),
    [
      [96, '', 0],
      [127, 'PCMA', 8000],
    ],
  )
})

t.test('a text without an m-line is no offer', async (t) => {
  for (const text of ['', 'v=0', '<recording/>', 'a=sendonly']) {
    t.same(readSdpOffer(text), {
      kind: 'unreadable',
      problem: 'session description without an m-line',
    })
  }
})
