import { readFileSync } from 'node:fs'
import t from 'tap'
import { configSchema } from '../../../config/config.ts'
import { serviceLineOf } from '../../../config/service-lines.ts'
import { createIdentification } from '../../../gateway/siprec/identification.ts'
import {
  AGENT_SOURCES,
  CALLER_SOURCES,
  SERVICE_NUMBER_SOURCES,
} from '../../../gateway/siprec/identification-sources.ts'
import { identifyParties } from '../../../gateway/siprec/parties.ts'
import { REFERENCE_SOURCES } from '../../../gateway/siprec/platform-references.ts'
import { readRecordingMetadata } from '../../../gateway/siprec/read-metadata.ts'

type Headers = Readonly<Record<string, string | readonly string[]>>

function identify(
  xml: string | null,
  headers: Headers = {},
  identification: Readonly<Record<string, unknown>> = {},
) {
  const config = configSchema.parse({ identification })
  return identifyParties({
    headers: (name) => [headers[name] ?? []].flat(),
    requestUri: 'sip:recorder@192.0.2.10',
    metadata: xml === null ? null : readRecordingMetadata(`<recording>${xml}</recording>`).metadata,
    serviceNumbers: ['+12025550100', '+12025550101'],
    settings: createIdentification(config.identification),
  })
}

function person(id: string, aor: string, inside = ''): string {
  return `<participant participant_id="${id}"><nameID aor="${aor}"/>${inside}</participant>`
}

function shown({ caller, serviceNumber, agent }: ReturnType<typeof identify>) {
  return [caller.display, serviceNumber.display, agent]
}

const CALLER = 'sip:+12025550147@caller.example'
const AGENT = 'sip:2000@platform.example'

t.test('without associations the first participant calls, and that is a guess', async (t) => {
  const parties = identify(person('A', CALLER) + person('B', AGENT), { To: '<sip:+12025550100@x>' })
  t.same(shown(parties), ['+12025550147', '+12025550100', '2000'])
  t.same(parties.foundIn, {
    caller: { source: 'participant-order', isGuess: true },
    serviceNumber: { source: 'to', isGuess: false },
    agent: { source: 'participant', isGuess: true },
    platformReference: null,
  })
  t.same([parties.callerParticipantId, parties.agentParticipantId], ['A', 'B'])
})

t.test('the sender of the lowest label calls, wherever it stands', async (t) => {
  const xml =
    person('B', AGENT, '<send>T2</send>') +
    person('A', CALLER, '<send>T1</send>') +
    '<stream stream_id="T2"><label>10</label></stream><stream stream_id="T1"><label>9</label></stream>'
  t.same(shown(identify(xml)), ['+12025550147', null, '2000'])
})

t.test('a service number among the participants is neither caller nor agent', async (t) => {
  const xml = person('Q', 'sip:12025550101@x') + person('A', CALLER) + person('B', AGENT)
  const parties = identify(xml)
  t.same(shown(parties), ['+12025550147', '+12025550101', '2000'])
  t.same(parties.foundIn.serviceNumber, { source: 'participant', isGuess: false })
  t.equal(parties.direction, 'inbound')
})

t.test('a configured service number goes before a likelier source that names none', async (t) => {
  const parties = identify(null, {
    'P-Called-Party-ID': '<sip:+12025550170@x>',
    Diversion: ['<sip:+12025550171@x>;reason=no-answer', '<tel:+12025550100>;reason=unconditional'],
    To: '<sip:+12025550172@x>',
  })
  t.equal(parties.serviceNumber.display, '+12025550100')
  t.same(parties.foundIn.serviceNumber, { source: 'diversion', isGuess: false })
})

t.test(
  'without a configured one the first number stands, the earliest diversion first',
  async (t) => {
    const diverted = identify(null, {
      Diversion: '<sip:+12025550171@x>, <sip:+12025550172@x>',
      To: '<sip:+12025550173@x>',
    })
    t.equal(diverted.serviceNumber.display, '+12025550172')
    const dialled = identify(null, { To: '<sip:recorder@x>' })
    t.same([dialled.serviceNumber.display, dialled.foundIn.serviceNumber], [null, null])
    const guessed = identify(null, { To: 'sip:0401234567@x' })
    t.equal(guessed.serviceNumber.display, '+358401234567')
    t.same(guessed.foundIn.serviceNumber, { source: 'to', isGuess: true })
    t.equal(guessed.direction, 'unknown')
  },
)

t.test('a History-Info tells the first target', async (t) => {
  const parties = identify(null, {
    'History-Info': ['<sip:+12025550101@x>;index=1', '<sip:2000@x>;index=1.1'],
  })
  t.same(parties.foundIn.serviceNumber, { source: 'history-info', isGuess: false })
  t.equal(parties.serviceNumber.e164, '+12025550101')
})

t.test('somebody who was called directly is the dialled number and the agent', async (t) => {
  const parties = identify(person('A', CALLER) + person('B', 'sip:+12025550170@x'), {
    To: '<sip:+12025550170@x>',
  })
  t.same(shown(parties), ['+12025550147', '+12025550170', '+12025550170'])
})

t.test(
  'a caller who withholds the number is known to, by name, header or copied header',
  async (t) => {
    const anonymous = identify(person('A', 'sip:anonymous@anonymous.invalid') + person('B', AGENT))
    t.match(anonymous.caller, { display: null, e164: null, isWithheld: true })
    t.equal(anonymous.agent, '2000')
    const privacy = identify(person('A', CALLER) + person('B', AGENT), { Privacy: 'id; critical' })
    t.match(privacy.caller, { display: null, e164: '+12025550147', isWithheld: true })
    const copied = identify(
      `${person('A', CALLER, '<extensiondata><header label="Privacy"><value>id</value></header></extensiondata>')}${person('B', AGENT)}`,
    )
    t.equal(copied.caller.isWithheld, true)
    t.equal(identify(person('A', CALLER), { Privacy: 'none' }).caller.isWithheld, false)
  },
)

t.test(
  'a participant without an address is a caller of unknown number, not the next one',
  async (t) => {
    const parties = identify(person('A', '') + person('B', AGENT))
    t.same(shown(parties), [null, null, '2000'])
    t.equal(parties.callerParticipantId, 'A')
  },
)

t.test('of several addresses of one participant the number counts', async (t) => {
  const xml = `<participant id="A"><nameID aor="sip:alice@x"/><nameID aor="tel:+12025550147"/></participant>`
  t.equal(identify(xml).caller.display, '+12025550147')
})

t.test('a client does not become the caller by its own name in From', async (t) => {
  t.equal(identify(null, { From: '"SRC" <sip:src@192.0.2.1>;tag=1' }).caller.raw, null)
  const numbered = identify(null, { From: '<sip:+12025550147@192.0.2.1>;tag=1' })
  t.same(numbered.foundIn.caller, { source: 'from', isGuess: true })
  const asserted = identify(null, {
    From: '<sip:+12025550199@x>',
    'P-Asserted-Identity': ['<sip:trunk@x>', '<tel:+12025550147>'],
  })
  t.equal(asserted.caller.display, '+12025550147')
})

t.test('an outbound call of a recorded user has that user as caller and agent', async (t) => {
  const xml =
    person('P1', 'sip:agent1@bw.example') +
    person('P2', CALLER) +
    '<extensiondata><broadWorksRecordingMetadata><userID>agent1@bw.example</userID><callType><origCall>' +
    '<callingPartyNumber>+12025550170</callingPartyNumber><calledPartyNumber>+12025550147</calledPartyNumber>' +
    '</origCall></callType></broadWorksRecordingMetadata></extensiondata>'
  const parties = identify(xml)
  t.same(shown(parties), ['+12025550170', '+12025550147', 'agent1'])
  t.equal(parties.direction, 'outbound')
})

t.test('jambonz numbers are right whether or not they are still swapped', async (t) => {
  const numbers = (called: string, calling: string) =>
    `<extensiondata xmlns:jb="http://jambonz.org/siprec"><jb:callednumber>${called}</jb:callednumber>` +
    `<jb:callingnumber>${calling}</jb:callingnumber></extensiondata>`
  for (const xml of [
    numbers('+12025550147', '12025550100'),
    numbers('12025550100', '+12025550147'),
  ]) {
    t.same(shown(identify(xml)), ['+12025550147', '+12025550100', null])
  }
})

t.test(
  'a configuration chooses the sources, and names headers and fields of its own',
  async (t) => {
    const xml =
      person('A', CALLER) +
      person('B', AGENT) +
      '<session id="S"><extensiondata><queue><dnis>+12025550101</dnis></queue></extensiondata></session>'
    const headers = {
      'X-Agent': 'agent-7',
      'X-Ani': '"A" <sip:+12025550148@x>',
      To: '<sip:+12025550100@x>',
    }
    const parties = identify(xml, headers, {
      caller: ['header:X-Ani', 'participant-order'],
      serviceNumber: ['metadata:queue/dnis', 'to'],
      agent: ['header:X-Agent'],
    })
    t.same(shown(parties), ['+12025550148', '+12025550101', 'agent-7'])
    t.same(parties.foundIn, {
      caller: { source: 'header:X-Ani', isGuess: false },
      serviceNumber: { source: 'metadata:queue/dnis', isGuess: false },
      agent: { source: 'header:X-Agent', isGuess: false },
      platformReference: null,
    })
  },
)

t.test('a source that does not exist is told with those that do', async (t) => {
  t.throws(() => identify(null, {}, { agent: ['participant', 'nobody'] }), {
    code: 'unknown_source',
    message:
      "identification.agent[1]: 'nobody' is not a source; expected one of broadworks-user, " +
      'metaswitch-recorded-party, cisco-near-end, cisco-recording-participant, participant, header:NAME, metadata:PATH',
  })
  t.throws(() => identify(null, {}, { caller: ['header:'] }), { code: 'unknown_source' })
})

t.test('a number belongs to its line, any other to the catch-all', async (t) => {
  const config = configSchema.parse({})
  t.equal(serviceLineOf('+12025550100', config), 'asiakastuki')
  t.equal(serviceLineOf('+12025550101', config), 'puhelunvalitys')
  t.equal(serviceLineOf('+12025550102', config), 'tunnistamaton')
  t.equal(serviceLineOf(null, config), 'tunnistamaton')
})

t.test('the guide lists every source in its default order', async (t) => {
  const guide = readFileSync(new URL('../../../../docs/identification.md', import.meta.url), 'utf8')
  const listed = [...guide.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name)
  const known = [
    ...CALLER_SOURCES,
    ...SERVICE_NUMBER_SOURCES,
    ...AGENT_SOURCES,
    ...REFERENCE_SOURCES,
  ]
  t.same(
    listed,
    known.map(({ name }) => name),
  )
})
