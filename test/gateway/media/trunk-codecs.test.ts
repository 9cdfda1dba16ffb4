import t from 'tap'
import { TrunkDescriptions } from '../../../gateway/media/trunk-descriptions.ts'
import { planTrunkStreams } from '../../../gateway/media/trunk-streams.ts'
import { mediaCapabilities } from '../../../gateway/siprec/media-capabilities.ts'

const CAPABILITIES = mediaCapabilities(['PCMU', 'G722', 'OPUS', 'G729', 'AMR-WB'])

function description(payloadTypes: string, ...attributes: readonly string[]): string {
  const lines = [
    ...['v=0', 'o=- 1 1 IN IP4 192.0.2.5', 's=-', 'c=IN IP4 192.0.2.5', 't=0 0'],
    `m=audio 4000 RTP/AVP ${payloadTypes}`,
    ...attributes.map((attribute) => `a=${attribute}`),
  ]
  return `${lines.join('\r\n')}\r\n`
}

function trunk() {
  return new TrunkDescriptions({
    capabilities: CAPABILITIES,
    isRecorded: true,
    isRecordingRequired: false,
    srtp: 'allow',
    portOf: (party) => ({
      streamId: party,
      address: '203.0.113.1',
      rtpPort: party === 'caller' ? 30_000 : 30_002,
      rtcpPort: party === 'caller' ? 30_001 : 30_003,
    }),
  })
}

const OFFER = description(
  '97 9 4 18 107 101',
  'rtpmap:97 AMR-WB/16000',
  'fmtp:97 octet-align=1; mode-set=0,1,2',
  'rtpmap:107 opus/48000/2',
  'fmtp:107 useinbandfec=1',
  'rtpmap:101 telephone-event/8000',
)

t.test(
  'parties agree among the codecs that the recorder decodes, as they describe them',
  async (t) => {
    const descriptions = trunk()
    descriptions.takeCallerOffer(OFFER)
    const offered = descriptions.offerForPlatform('mirror')
    t.match(offered, /m=audio 30002 RTP\/AVP 97 9 18 107 101\r\n/)
    t.match(offered, /a=fmtp:97 octet-align=1; mode-set=0,1,2\r\n/)
    t.match(offered, /a=fmtp:107 useinbandfec=1\r\n/)
    const answer = descriptions.answerFromPlatform(
      description('9 101', 'rtpmap:101 telephone-event/8000'),
    )
    t.match(answer, /m=audio 30000 RTP\/AVP 9 101\r\n/)
    t.notOk(descriptions.isUnrecordable)
    const streams = planTrunkStreams(descriptions.legs, {
      capabilities: CAPABILITIES,
      isRecorded: true,
    })
    t.equal(streams.length, 2)
    for (const { formats } of streams) {
      t.ok(formats.some(({ payloadType, codec }) => payloadType === 9 && codec === 'G722'))
    }
  },
)

t.test('an announcement needs G.711 in the offer', async (t) => {
  const descriptions = trunk()
  descriptions.takeCallerOffer(OFFER)
  t.throws(() => descriptions.announceToCaller(), { code: 'no_announcement' })
  const other = trunk()
  other.takeCallerOffer(description('9 0'))
  t.match(other.announceToCaller(), { format: { payloadType: 0, codec: 'PCMU' } })
})
