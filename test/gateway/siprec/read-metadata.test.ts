import t from 'tap'
import { mergeMetadata } from '../../../gateway/siprec/merge-metadata.ts'
import { readRecordingMetadata } from '../../../gateway/siprec/read-metadata.ts'
import { isPresent, type RecordingMetadata } from '../../../gateway/siprec/recording-metadata.ts'
import { readRecordingRequest } from '../../../gateway/siprec/recording-session-request.ts'
import { readFixture } from './fixture.ts'

function read(inner: string, root = 'recording'): RecordingMetadata {
  const { metadata, problems } = readRecordingMetadata(`<${root}>${inner}</${root}>`)
  if (metadata === null) throw new Error(problems.join())
  return metadata
}

function fromFixture(name: string): RecordingMetadata {
  const { contentType, body } = readFixture(name)
  const { metadata, problems } = readRecordingRequest(contentType, body)
  if (metadata === null) throw new Error(problems.join())
  return metadata
}

t.test('a document of the standard is read whole', async (t) => {
  const metadata = fromFixture('generic/invite')
  t.equal(metadata.dataMode, 'complete')
  t.same(metadata.sessions, [
    {
      id: 'hVpd7YQgRW2nD22h7q60JQ==',
      sipSessionIds: ['ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2'],
      groupId: null,
      startTime: '2026-01-05T08:00:00.120Z',
      stopTime: null,
    },
  ])
  t.same(metadata.participants[0], {
    id: 'srfBElmCRp2QB23b7Mpk0w==',
    names: [{ aor: 'sip:+12025550147@example.com', name: 'Caller' }],
    sessions: [
      {
        sessionId: 'hVpd7YQgRW2nD22h7q60JQ==',
        associateTime: '2026-01-05T08:00:00Z',
        disassociateTime: null,
      },
    ],
    sends: ['UAAMm5GRQKSCMVvLyl4rFw=='],
    receives: ['i1Pz3to5hGk8fuXl+PbwCw=='],
    hasSent: ['UAAMm5GRQKSCMVvLyl4rFw=='],
  })
  t.same(metadata.streams[1], {
    id: 'i1Pz3to5hGk8fuXl+PbwCw==',
    label: '2',
    sessionId: 'hVpd7YQgRW2nD22h7q60JQ==',
    mode: null,
  })
  t.same(metadata.vendorFields, [])
})

t.test('every spelling of an id, an address and a reference means the same', async (t) => {
  const standard = read(
    '<session session_id="S"/><participant participant_id="P"><nameID aor="sip:a@x"/></participant>' +
      '<stream stream_id="T" session_id="S"><label>1</label></stream>' +
      '<participantstreamassoc participant_id="P"><send>T</send></participantstreamassoc>',
  )
  for (const [inner, root] of [
    [
      '<session id="S"/><participant id="P"><aor>sip:a@x</aor><send><id>T</id></send></participant>' +
        '<stream id="T" session="S"><label>1</label></stream>',
      'recording_metadata',
    ],
    [
      '<SESSION><session_id>S</session_id></SESSION>' +
        '<participant><participant_id>P</participant_id><nameID><aor>sip:a@x</aor></nameID><send stream_id="T"/></participant>' +
        '<stream><stream_id>T</stream_id><session_id>S</session_id><media_label>1</media_label></stream>',
      'anything',
    ],
    [
      '<participantstreamassoc participant_id="P"><send>T</send></participantstreamassoc>' +
        '<stream stream_id="T" session_id="S" label="1"/>' +
        '<participant participant_id="P" aor="sip:a@x"></participant><session session_id="S"></session>',
      'x:recording',
    ],
  ] as const) {
    const { sessions, streams, participants } = read(inner, root)
    t.same(sessions, standard.sessions)
    t.same(streams, standard.streams)
    const [{ id, names, sends } = standard.participants[0] ?? {}] = participants
    t.same([id, names, sends], ['P', [{ aor: 'sip:a@x', name: '' }], ['T']])
  }
})

t.test('what the standard does not know is kept by owner and path', async (t) => {
  const { vendorFields } = fromFixture('oracle/answer')
  t.same(
    vendorFields.map(({ ownerId, path, value }) => [ownerId.slice(0, 3), path, value]),
    [
      ['zbA', 'ucid', '00FA080001183F5093914D;encoding=hex'],
      ['zbA', 'callerOrig', 'true'],
      ['6Ss', 'callingParty', 'true'],
      ['6Ss', 'request-uri', 'sip:+12025550100@192.0.2.41:5060'],
      ['6Ss', 'in-realm', 'peer'],
      ['6Ss', 'header[P-Asserted-Identity]/value', '<sip:+12025550147@192.0.2.40>'],
      ['6Ss', 'header[Diversion]/value', '<tel:+12025550199>;reason=unconditional'],
      ['WWl', 'callingParty', 'false'],
      ['WWl', 'realm', 'core'],
    ],
  )
  t.equal(vendorFields[0]?.namespace, 'http://acmepacket.com/siprec/extensiondata')
  const broadWorks = fromFixture('broadworks/hunt-group-invite').vendorFields
  t.match(
    broadWorks.find((field) => field.path.endsWith('callID')),
    {
      ownerId: 'urn:uuid:8d0282c9-89b2-4b7b-8df1-5d1c9de7e3bf',
      path: 'broadWorksRecordingMetadata/callID',
      value: 'callhalf-123:0',
    },
  )
})

t.test('quotation marks inside a name are left out', async (t) => {
  t.equal(fromFixture('oracle/answer').participants[0]?.names[0]?.name, 'WIRELESS CALLER')
})

t.test('two participants of one number stay two where each sends its own stream', async (t) => {
  const xml =
    '<recording><participant id="+1"><nameID aor="+1@x"/><send>A</send></participant>' +
    '<participant id="+1"><nameID aor="+1@x"/><send>B</send></participant></recording>'
  const { metadata, problems } = readRecordingMetadata(xml)
  t.same(
    metadata?.participants.map(({ id, sends }) => [id, sends]),
    [
      ['+1', ['A']],
      ['+1#1', ['B']],
    ],
  )
  t.same(problems, ['two participants of one id'])
})

t.test('a session without people, and people without a session, are read', async (t) => {
  t.same(read('<session session_id="S"/>').participants, [])
  t.same(read('').sessions, [])
  t.same(readRecordingMetadata('').metadata, null)
  t.same(readRecordingMetadata('').problems, ['metadata without an element'])
  t.same(readRecordingMetadata('<html/>').problems, ['metadata that begins with <html>'])
})

t.test('a partial update changes what it names and deletes nothing', async (t) => {
  const held = mergeMetadata(fromFixture('generic/invite'), fromFixture('generic/hold'))
  t.same(
    held.participants.map(({ names, sends, hasSent }) => [names[0]?.aor, sends, hasSent]),
    [
      ['sip:+12025550147@example.com', [], ['UAAMm5GRQKSCMVvLyl4rFw==']],
      ['sip:2000@example.com', ['i1Pz3to5hGk8fuXl+PbwCw=='], ['i1Pz3to5hGk8fuXl+PbwCw==']],
    ],
  )
  t.equal(held.streams.length, 2)
  const moved = mergeMetadata(held, fromFixture('generic/transfer'))
  t.same(
    moved.participants.map((participant) => [
      participant.names[0]?.aor,
      participant.sends?.length,
      isPresent(participant, moved),
    ]),
    [
      ['sip:+12025550147@example.com', 1, true],
      ['sip:2000@example.com', 0, false],
      ['sip:2001@example.com', 1, true],
    ],
  )
  const ended = mergeMetadata(moved, fromFixture('generic/bye'))
  t.equal(ended.sessions[0]?.stopTime, '2026-01-05T08:09:00Z')
  t.equal(ended.sessions[0]?.startTime, '2026-01-05T08:00:00.120Z')
  t.same(
    ended.participants.map((participant) => isPresent(participant, ended)),
    [false, false, false],
  )
})

t.test('a complete update replaces what was known', async (t) => {
  const update = fromFixture('avaya-sbce/answer')
  t.equal(mergeMetadata(fromFixture('avaya-sbce/placeholder-invite'), update), update)
  t.equal(mergeMetadata(null, fromFixture('generic/hold')).dataMode, 'partial')
})

t.test('a participant that joins again is present again', async (t) => {
  const association = (joined: string, left: string) =>
    read(
      `<datamode>partial</datamode><participantsessionassoc participant_id="P" session_id="S"><associate-time>${joined}</associate-time>${left}</participantsessionassoc>`,
    )
  const left = mergeMetadata(
    association('10:00', ''),
    association('10:00', '<disassociate-time>10:05</disassociate-time>'),
  )
  const [gone] = left.participants
  t.equal(gone && isPresent(gone, left), false)
  const again = mergeMetadata(left, association('10:09', ''))
  const [back] = again.participants
  t.equal(back && isPresent(back, again), true)
})

t.test('a later vendor field replaces the earlier of its path', async (t) => {
  const field = (value: string) =>
    read(`<datamode>partial</datamode><x><a>${value}</a></x><y>1</y>`)
  t.same(
    mergeMetadata(field('old'), field('new')).vendorFields.map(({ path, value }) => [path, value]),
    [
      ['x/a', 'new'],
      ['y', '1'],
    ],
  )
})
