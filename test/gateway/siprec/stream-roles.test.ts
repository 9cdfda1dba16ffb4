import t from 'tap'
import { configSchema } from '../../../config/config.ts'
import { planAnswer } from '../../../gateway/siprec/answer-plan.ts'
import { createIdentification } from '../../../gateway/siprec/identification.ts'
import { G711_CAPABILITIES } from '../../../gateway/siprec/media-capabilities.ts'
import { identifyParties } from '../../../gateway/siprec/parties.ts'
import { readRecordingMetadata } from '../../../gateway/siprec/read-metadata.ts'
import { readSdpOffer } from '../../../gateway/siprec/sdp-offer.ts'
import { assignRoles } from '../../../gateway/siprec/stream-roles.ts'

type Headers = Readonly<Record<string, string>>

function roles(labels: readonly (string | null)[], xml: string, headers: Headers = {}) {
  const lines = labels.map((label) =>
    label === null ? 'm=audio 2 RTP/AVP 0' : `m=audio 2 RTP/AVP 0\na=label:${label}`,
  )
  const reading = readSdpOffer(lines.join('\n'))
  if (reading.kind !== 'offer') throw new Error(reading.problem)
  const plan = planAnswer(reading.offer, { capabilities: G711_CAPABILITIES })
  if (plan.kind !== 'answer') throw new Error(plan.problem)
  const { metadata } = readRecordingMetadata(`<recording>${xml}</recording>`)
  const { identification } = configSchema.parse({
    identification: { crossedStreams: ['sbc.example', 'SBC/7'] },
  })
  const parties = identifyParties({
    headers: (name) => [headers[name] ?? []].flat(),
    requestUri: '',
    metadata,
    serviceNumbers: [],
    settings: createIdentification(identification),
  })
  const { streams, foundIn } = assignRoles(plan, { metadata, parties })
  return { roles: streams.map((stream) => stream.role), ...foundIn }
}

function person(id: string, user: string, sends: readonly string[], more = ''): string {
  const sent = sends.map((stream) => `<send>${stream}</send>`).join('')
  return `<participant id="${id}"><nameID aor="sip:${user}@x"/>${sent}${more}</participant>`
}

function stream(id: string, label?: string): string {
  return `<stream id="${id}">${label === undefined ? '' : `<label>${label}</label>`}</stream>`
}

const CALLING = '<extensiondata><callingParty>true</callingParty></extensiondata>'
const TWO = stream('T1', '1') + stream('T2', '2')

t.test('who sends a stream gives it its role, against the order of labels too', async (t) => {
  const xml = person('A', '+12025550147', ['T2'], CALLING) + person('B', '2000', ['T1']) + TWO
  t.same(roles(['1', '2'], xml), {
    roles: ['agent', 'caller'],
    source: 'participant-stream',
    isGuess: false,
  })
})

t.test('a stream that nobody is said to send is the other party', async (t) => {
  const xml = person('A', '+12025550147', ['T2'], CALLING) + person('B', '2000', []) + TWO
  t.same(roles(['1', '2'], xml).roles, ['agent', 'caller'])
})

t.test('everybody but the caller is heard on the agent channel', async (t) => {
  const xml =
    person('A', '+12025550147', ['T1'], CALLING) +
    person('B', '2000', ['T2']) +
    person('C', '2001', ['T2']) +
    TWO
  t.same(roles(['1', '2'], xml).roles, ['caller', 'agent'])
})

t.test(
  'a stream that caller and agent send is mixed; one that the caller alone sends is not',
  async (t) => {
    const both = person('A', '+12025550147', ['T1'], CALLING) + person('B', '2000', ['T1'])
    t.same(roles(['1'], both + stream('T1', '1')).roles, ['mixed'])
    const alone = person('A', '+12025550147', ['T1'], CALLING) + person('B', '2000', [])
    t.same(roles(['1'], alone + stream('T1', '1')).roles, ['caller'])
  },
)

t.test('a stream that its client calls mixed is, whoever is said to send it', async (t) => {
  const mixed = '<stream id="T1"><label>1</label><mode>mixed</mode></stream>'
  const xml = person('B', '2000', ['T1']) + person('A', '+12025550147', ['T2'], CALLING) + mixed
  t.same(roles(['1'], xml).roles, ['mixed'])
})

t.test('without associations the order of labels stands, as a guess', async (t) => {
  const xml = person('A', '+12025550147', []) + person('B', '2000', []) + TWO
  t.same(roles(['2', '1'], xml), {
    roles: ['agent', 'caller'],
    source: 'label-order',
    isGuess: true,
  })
})

t.test('streams that only the metadata labels are matched by their place', async (t) => {
  const xml = person('A', '+12025550147', ['T2'], CALLING) + person('B', '2000', ['T1']) + TWO
  t.same(roles([null, null], xml).roles, ['agent', 'caller'])
  t.same(roles([null, null, null], xml).source, 'label-order')
})

t.test('a client that is configured as crossed has its roles turned round', async (t) => {
  const xml = person('A', '+12025550147', ['T1'], CALLING) + person('B', '2000', ['T2']) + TWO
  const turned = { roles: ['agent', 'caller'], source: 'crossed-streams', isGuess: false }
  t.same(roles(['1', '2'], xml, { Contact: '<sip:src@SBC.example:5060>;+sip.src' }), turned)
  t.same(roles(['1', '2'], xml, { 'User-Agent': 'sbc/7.2' }), turned)
  t.same(roles(['1', '2'], xml, { 'User-Agent': 'sbc/6' }).roles, ['caller', 'agent'])
})

t.test('a built-in bridge says whose stream its session brings', async (t) => {
  const from = (end: string) => ({ From: `<sip:4001@x;${end};x-nearendaddr=4001>;tag=1` })
  t.same(roles([null], '', from('x-farend')), {
    roles: ['caller'],
    source: 'cisco-built-in-bridge',
    isGuess: false,
  })
  t.same(roles([null], '', from('x-nearend')).roles, ['agent'])
})
