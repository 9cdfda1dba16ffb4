import t from 'tap'
import { type Answer, planAnswer } from '../../../gateway/siprec/answer-plan.ts'
import { planDelayedOffer, readDelayedAnswer } from '../../../gateway/siprec/delayed-offer.ts'
import { G711_CAPABILITIES } from '../../../gateway/siprec/media-capabilities.ts'
import { readSdpOffer, type SdpOffer } from '../../../gateway/siprec/sdp-offer.ts'
import { writeAnswer } from '../../../gateway/siprec/write-answer.ts'
import type { StreamPort } from '../../../recorder/recording-plan.ts'

const SESSION = ['v=0', 'o=src 77 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0']
const ORIGIN = { address: '198.51.100.10', sessionId: '900', version: 1 }

function offer(...lines: readonly string[]): SdpOffer {
  const reading = readSdpOffer([...SESSION, ...lines, ''].join('\r\n'))
  if (reading.kind !== 'offer') throw new Error(reading.problem)
  return reading.offer
}

function answer(sdp: SdpOffer, previous?: Answer): Answer {
  const plan = planAnswer(sdp, {
    capabilities: G711_CAPABILITIES,
    ...(previous === undefined ? {} : { previous }),
  })
  if (plan.kind !== 'answer') throw new Error(plan.problem)
  return plan
}

function portsOf(plan: Answer): readonly StreamPort[] {
  return plan.streams.map(({ streamId }, at) => ({
    streamId,
    address: ORIGIN.address,
    rtpPort: 20_000 + 2 * at,
    rtcpPort: 20_001 + 2 * at,
  }))
}

function streamsOf(plan: Answer) {
  return plan.streams.map(({ streamId, role, isReceiving }) => ({ streamId, role, isReceiving }))
}

t.test(
  'two labelled streams are both received, the lower label by the caller channel',
  async (t) => {
    const plan = answer(
      offer(
        'm=audio 16390 RTP/AVP 0 101 19 18',
        'a=rtpmap:101 telephone-event/8000',
        'a=fmtp:101 0-16',
        'a=rtpmap:19 CN/8000',
        'a=ptime:20',
        'a=sendonly',
        'a=label:1',
        'm=audio 16392 RTP/AVP 8',
        'c=IN IP4 192.0.2.2',
        'a=sendonly',
        'a=label:2',
      ),
    )
    t.same(plan.streams, [
      {
        streamId: '1',
        role: 'caller',
        isReceiving: true,
        formats: [{ payloadType: 0, codec: 'PCMU', clockRate: 8000 }],
        eventPayloadTypes: [101],
        comfortNoisePayloadTypes: [19],
        remote: { address: '192.0.2.1', port: 16_390 },
        ipVersion: 4,
      },
      {
        streamId: '2',
        role: 'agent',
        isReceiving: true,
        formats: [{ payloadType: 8, codec: 'PCMA', clockRate: 8000 }],
        eventPayloadTypes: [],
        comfortNoisePayloadTypes: [],
        remote: { address: '192.0.2.2', port: 16_392 },
        ipVersion: 4,
      },
    ])
    t.equal(
      writeAnswer(plan, portsOf(plan), ORIGIN),
      [
        'v=0',
        'o=tallenne 900 1 IN IP4 198.51.100.10',
        's=-',
        'c=IN IP4 198.51.100.10',
        't=0 0',
        'm=audio 20000 RTP/AVP 0 101 19',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:101 telephone-event/8000',
        'a=fmtp:101 0-16',
        'a=rtpmap:19 CN/8000',
        'a=ptime:20',
        'a=recvonly',
        'a=label:1',
        'm=audio 20002 RTP/AVP 8',
        'a=rtpmap:8 PCMA/8000',
        'a=recvonly',
        'a=label:2',
        '',
      ].join('\r\n'),
    )
  },
)

t.test(
  'what cannot be recorded is refused in its slot with its own protocol and formats',
  async (t) => {
    const plan = answer(
      offer(
        'm=video 5000 RTP/AVP 97 98',
        'a=label:v',
        'm=image 5002 udptl t38',
        'm=audio 5004 RTP/AVP 18',
        'm=audio 5006/2 RTP/SAVP 0',
        'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA',
        'm=message 5008 TCP/MSRP *',
        'm=audio 5010 RTP/AVP 0',
        'm=audio 0 RTP/AVP 0',
      ),
    )
    t.same(writeAnswer(plan, portsOf(plan), ORIGIN).split('\r\n').slice(5), [
      'm=video 0 RTP/AVP 97 98',
      'a=label:v',
      'm=image 0 udptl t38',
      'm=audio 0 RTP/AVP 18',
      'm=audio 0 RTP/SAVP 0',
      'm=message 0 TCP/MSRP *',
      'm=audio 20000 RTP/AVP 0',
      'a=rtpmap:0 PCMU/8000',
      'a=recvonly',
      'm=audio 0 RTP/AVP 0',
      '',
    ])
    t.same(streamsOf(plan), [{ streamId: 'm5', role: 'mixed', isReceiving: true }])
  },
)

t.test(
  'each offer is judged anew, so inactive does not outlive the offer that said it',
  async (t) => {
    const line = (direction: string) => offer('m=audio 9 RTP/AVP 0', `a=${direction}`, 'a=label:1')
    const first = answer(line('inactive'))
    t.same(
      first.lines.map((it) => it.kind === 'accepted' && it.direction),
      ['inactive'],
    )
    t.same(first.streams[0]?.remote, undefined, 'port 9 is a placeholder')
    const second = answer(line('sendonly'), first)
    t.same(
      second.lines.map((it) => it.kind === 'accepted' && it.direction),
      ['recvonly'],
    )
    t.equal(second.streams[0]?.isReceiving, true)
  },
)

for (const [name, lines, direction] of [
  ['without a direction', [], 'recvonly'],
  ['sendrecv', ['a=sendrecv'], 'recvonly'],
  ['recvonly', ['a=recvonly'], 'inactive'],
  ['held by a zero address', ['c=IN IP4 0.0.0.0', 'a=sendonly'], 'inactive'],
  ['held by a zero IPv6 address', ['c=IN IP6 ::'], 'inactive'],
] as const) {
  t.test(`an offer ${name} is answered ${direction}`, async (t) => {
    const plan = answer(offer('m=audio 5000 RTP/AVP 0', ...lines))
    t.same(
      plan.lines.map((it) => it.kind === 'accepted' && it.direction),
      [direction],
    )
    t.same(
      plan.streams.map((it) => it.isReceiving),
      [direction === 'recvonly'],
    )
  })
}

t.test('an offer that nothing can be decoded of is not acceptable, and says why', async (t) => {
  const capabilities = G711_CAPABILITIES
  t.same(
    planAnswer(offer('m=audio 5000 RTP/AVP 18 96', 'a=rtpmap:96 AMR/8000'), { capabilities }),
    {
      kind: 'not_acceptable',
      problem: 'no audio line can be decoded: RTP/AVP with G729 AMR',
    },
  )
  t.same(planAnswer(offer('m=video 5000 RTP/AVP 97'), { capabilities }), {
    kind: 'not_acceptable',
    problem: 'offer without an audio line',
  })
})

t.test('streams keep their names when labels come late, and when slots move', async (t) => {
  const audio = (port: number, label?: string) => [
    `m=audio ${port} RTP/AVP 0`,
    ...(label === undefined ? [] : [`a=label:${label}`]),
  ]
  const unlabelled = answer(offer(...audio(5000), ...audio(5002)))
  t.same(
    streamsOf(unlabelled).map((it) => it.streamId),
    ['m0', 'm1'],
  )
  const labelled = answer(offer(...audio(5000, '1'), ...audio(5002, '2')), unlabelled)
  t.same(
    streamsOf(labelled).map((it) => it.streamId),
    ['m0', 'm1'],
  )
  const moved = answer(offer(...audio(5002, '2'), ...audio(5000, '1')), labelled)
  t.same(streamsOf(moved), [
    { streamId: 'm1', role: 'agent', isReceiving: true },
    { streamId: 'm0', role: 'caller', isReceiving: true },
  ])
  const reused = answer(offer(...audio(5000, '7'), ...audio(5002, '2')), labelled)
  t.same(streamsOf(reused), [
    { streamId: '7', role: 'agent', isReceiving: true },
    { streamId: 'm1', role: 'agent', isReceiving: true },
    { streamId: 'm0', role: 'caller', isReceiving: false },
  ])
})

t.test('two streams of one label stay two streams', async (t) => {
  const plan = answer(
    offer('m=audio 1000 RTP/AVP 0', 'a=label:1', 'm=audio 1002 RTP/AVP 0', 'a=label:1'),
  )
  t.same(
    plan.streams.map((it) => it.streamId),
    ['1', '1#1'],
  )
})

t.test('a second stream ends the mixing of the first', async (t) => {
  const first = answer(offer('m=audio 1000 RTP/AVP 0', 'a=label:16777227'))
  t.equal(first.streams[0]?.role, 'mixed')
  const second = answer(
    offer(
      'm=audio 1000 RTP/AVP 0',
      'a=label:16777227',
      'm=audio 1002 RTP/AVP 0',
      'a=label:201835599',
    ),
    first,
  )
  t.same(
    second.streams.map((it) => it.role),
    ['caller', 'agent'],
  )
})

t.test(
  'when all streams are stopped the answer stops them and the recording keeps them',
  async (t) => {
    const first = answer(offer('m=audio 1000 RTP/AVP 0', 'a=label:1'))
    const stopped = answer(offer('m=audio 0 RTP/AVP 0', 'a=label:1'), first)
    t.same(streamsOf(stopped), [{ streamId: '1', role: 'mixed', isReceiving: false }])
    t.match(writeAnswer(stopped, portsOf(stopped), ORIGIN), /^m=audio 0 RTP\/AVP 0\r$/m)
  },
)

t.test('offers with ever new labels do not grow a recording without end', async (t) => {
  let plan = answer(offer('m=audio 1000 RTP/AVP 0', 'a=label:0'))
  for (let count = 1; count < 40; count++) {
    plan = answer(offer('m=audio 1000 RTP/AVP 0', `a=label:${count}`), plan)
  }
  t.equal(plan.streams.length, G711_CAPABILITIES.maxStreams)
})

t.test('an IPv6 address is written as one', async (t) => {
  const plan = answer(offer('m=audio 5000 RTP/AVP 0'))
  const sdp = writeAnswer(plan, portsOf(plan), { ...ORIGIN, address: '2001:db8::10' })
  t.match(sdp, /\r\nc=IN IP6 2001:db8::10\r\n/)
})

t.test('an RTCP port that does not follow the RTP port is written', async (t) => {
  const plan = answer(offer('m=audio 5000 RTP/AVP 0'))
  const ports = [{ streamId: 'm0', address: '::', rtpPort: 30_000, rtcpPort: 30_007 }]
  t.match(writeAnswer(plan, ports, ORIGIN), /\r\na=rtcp:30007\r\n/)
  t.throws(() => writeAnswer(plan, [], ORIGIN), { code: 'stream_without_port' })
})

t.test(
  'without an offer we offer two receiving lines and read the answer of the ACK',
  async (t) => {
    const ours = planDelayedOffer(G711_CAPABILITIES, '192.0.2.1')
    t.same(writeAnswer(ours, portsOf(ours), ORIGIN).split('\r\n').slice(5, 11), [
      'm=audio 20000 RTP/AVP 0 8 101 13',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=rtpmap:13 CN/8000',
    ])
    const theirs = offer(
      'm=audio 24580 RTP/AVP 8 97',
      'a=rtpmap:97 telephone-event/8000',
      'a=sendonly',
      'm=audio 0 RTP/AVP 0',
    )
    const answered = readDelayedAnswer(ours, theirs, G711_CAPABILITIES)
    t.same(streamsOf(answered), [{ streamId: 'm0', role: 'mixed', isReceiving: true }])
    t.same(answered.streams[0]?.remote, { address: '192.0.2.1', port: 24_580 })
    t.same(answered.streams[0]?.eventPayloadTypes, [101, 97])
    const reoffered = answer(
      offer('m=audio 24580 RTP/AVP 8', 'a=inactive', 'm=audio 0 RTP/AVP 0'),
      answered,
    )
    t.same(streamsOf(reoffered), [{ streamId: 'm0', role: 'mixed', isReceiving: false }])
  },
)
