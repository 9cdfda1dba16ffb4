import t from 'tap'
import { planAnswer } from '../../../gateway/siprec/answer-plan.ts'
import { planDelayedOffer } from '../../../gateway/siprec/delayed-offer.ts'
import { codecsNamed } from '../../../gateway/siprec/known-codecs.ts'
import { mediaCapabilities, usableFormats } from '../../../gateway/siprec/media-capabilities.ts'
import { readSdpOffer } from '../../../gateway/siprec/sdp-offer.ts'

const ALL = ['PCMA', 'PCMU', 'G722', 'OPUS', 'G729', 'G726', 'AMR-WB', 'AMR', 'ILBC', 'GSM', 'L16']
const CAPABILITIES = mediaCapabilities(ALL.flatMap(codecsNamed))

/** Formats of one audio line, with attributes. */
function media(payloadTypes: string, ...attributes: readonly string[]) {
  const lines = [
    ...['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'],
    `m=audio 40000 RTP/AVP ${payloadTypes}`,
    ...attributes.map((attribute) => `a=${attribute}`),
  ]
  const reading = readSdpOffer(`${lines.join('\r\n')}\r\n`)
  if (reading.kind === 'unreadable') throw new Error(reading.problem)
  return reading.offer
}

function formats(payloadTypes: string, ...attributes: readonly string[]) {
  const [line] = media(payloadTypes, ...attributes).media
  return usableFormats(line?.formats ?? [], CAPABILITIES)
}

t.test('static payload types mean what RFC 3551 says, and 2 what it was before', async (t) => {
  t.same(
    formats('0 2 3 8 9 10 11 18').formats.map(({ payloadType, codec, clockRate, channels }) =>
      [payloadType, codec, clockRate, channels ?? 1].join(' '),
    ),
    [
      ...['0 PCMU 8000 1', '2 G726-32 8000 1', '3 GSM 8000 1', '8 PCMA 8000 1', '9 G722 8000 1'],
      ...['10 L16 44100 2', '11 L16 44100 1', '18 G729 8000 1'],
    ],
  )
})

t.test('dynamic ones mean what their attributes say', async (t) => {
  const usable = formats(
    '96 97 98 99 100 101 102 103 104 105',
    'rtpmap:96 AMR/8000',
    'rtpmap:97 amr-wb/16000/1',
    'fmtp:97 mode-set=0,1,2; octet-align=1',
    'rtpmap:98 iLBC/8000',
    'fmtp:98 mode=20',
    'rtpmap:99 opus/48000/2',
    'rtpmap:100 AAL2-G726-16/8000',
    'rtpmap:101 telephone-event/48000',
    'rtpmap:102 L16/16000',
    'rtpmap:103 G722/16000',
    'rtpmap:104 CN/16000',
    'rtpmap:105 G729a/8000',
  )
  t.same(usable.formats, [
    { payloadType: 96, codec: 'AMR', clockRate: 8000 },
    { payloadType: 97, codec: 'AMR-WB', clockRate: 16_000, isOctetAligned: true },
    { payloadType: 98, codec: 'ILBC', clockRate: 8000 },
    { payloadType: 99, codec: 'OPUS', clockRate: 48_000 },
    { payloadType: 100, codec: 'G726-16', clockRate: 8000, isBigEndian: true },
    { payloadType: 102, codec: 'L16', clockRate: 16_000 },
    { payloadType: 103, codec: 'G722', clockRate: 8000 },
    { payloadType: 105, codec: 'G729', clockRate: 8000 },
  ])
  t.same(usable.eventPayloadTypes, [101])
  t.same(usable.comfortNoisePayloadTypes, [104])
})

t.test('AMR that is packed as nobody reads it is not taken', async (t) => {
  for (const fmtp of ['crc=1', 'octet-align=1;robust-sorting=1', 'octet-align=1; interleaving=2']) {
    t.same(formats('96', 'rtpmap:96 AMR/8000', `fmtp:96 ${fmtp}`).kept, [])
  }
})

t.test('redundancy is kept beside what it repeats', async (t) => {
  const attributes = ['rtpmap:121 red/8000', 'rtpmap:122 red/8000', 'rtpmap:123 red/48000/2']
  const fmtps = ['fmtp:121 0/0', 'fmtp:122 4/4']
  const usable = formats('0 4 121 122 123', ...attributes, ...fmtps)
  t.same(usable.redundantPayloadTypes, [121, 123])
  t.same(
    usable.kept.map(({ payloadType }) => payloadType),
    [0, 121, 123],
  )
})

t.test('what cannot be decoded here is not in the answer', async (t) => {
  const withoutG729 = mediaCapabilities(['PCMU', 'G722'])
  const both = planAnswer(media('18 9 0'), { capabilities: withoutG729 })
  t.match(both, {
    lines: [{ kind: 'accepted', formats: [{ payloadType: 9 }, { payloadType: 0 }] }],
  })
  t.match(planAnswer(media('18'), { capabilities: withoutG729 }), { kind: 'not_acceptable' })
})

t.test('our own offer names each codec once, in the order that is configured', async (t) => {
  const capabilities = mediaCapabilities(['G722', 'PCMU', 'G729'])
  const [line] = planDelayedOffer(capabilities, '192.0.2.1').lines
  t.match(line, { kind: 'accepted' })
  const offered = line?.kind === 'accepted' ? line.formats : []
  t.same(
    offered.map(({ payloadType, encoding }) => `${payloadType} ${encoding}`),
    ['9 G722', '0 PCMU', '18 G729', '101 telephone-event', '13 CN'],
  )
})
