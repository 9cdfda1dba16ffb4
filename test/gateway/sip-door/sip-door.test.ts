import t from 'tap'
import { DigestSession } from '../../../gateway/sip/digest-session.ts'
import type { Admission } from '../../../gateway/sip-server/door.ts'
import { doorOf, invite, peerAt } from './knock.ts'

const SCANNER = ['User-Agent: Friendly-Scanner 1.0']
const sbc = { name: 'sbc', from: ['192.0.2.0/24', '2001:db8:7::/48'] }
const shown = (admission: Admission) =>
  admission.kind === 'refused' ? admission.status : admission.kind

t.test('with no peers named everybody is let in, and with some nobody else', async (t) => {
  const open = doorOf()
  t.equal(shown(open.door.admit(invite(), peerAt('203.0.113.9'))), 'admitted')
  const closed = doorOf({ sip: { peers: [sbc] } })
  t.equal(shown(closed.door.admit(invite(), peerAt('192.0.2.7'))), 'admitted')
  t.equal(shown(closed.door.admit(invite(), peerAt('2001:db8:7:1::1'))), 'admitted')
  t.equal(shown(closed.door.admit(invite(), peerAt('203.0.113.9'))), 403)
  t.same(closed.outcomes, ['admitted', 'admitted', 'refused'])
  const silent = doorOf({ sip: { peers: [sbc], strangers: 'drop' } })
  t.equal(shown(silent.door.admit(invite(), peerAt('203.0.113.9'))), 'dropped')
  t.notOk(silent.door.mayAnswer(peerAt('203.0.113.9')), 'not even what is malformed')
  t.ok(silent.door.mayAnswer(peerAt('192.0.2.7')))
})

t.test('recording clients and trunk routes that are told apart are peers too', async (t) => {
  const { door } = doorOf({
    sip: { strangers: 'refuse' },
    siprec: { peers: [{ name: 'client', from: ['198.51.100.1'] }, { name: 'all' }] },
    trunk: {
      routes: [
        { name: 'carrier', tlsNames: ['sbc.example.com'], targets: [{ uri: 'sip:192.0.2.20' }] },
      ],
    },
  })
  t.equal(shown(door.admit(invite(), peerAt('198.51.100.1'))), 'admitted')
  const named = peerAt('203.0.113.9', { name: 'tls', names: ['sbc.example.com'] })
  t.equal(shown(door.admit(invite(), named)), 'admitted')
  t.equal(shown(door.admit(invite(), peerAt('203.0.113.9', { name: 'tls' }))), 403)
  t.equal(
    shown(door.admit(invite(), peerAt('192.0.2.20'))),
    403,
    'a target is called, and calls not',
  )
})

t.test('whoever has credentials is challenged until it shows them', async (t) => {
  const { door, outcomes, bans, clock } = doorOf({
    sip: {
      peers: [sbc, { name: 'branch', digest: { user: 'branch', password: 'secret' } }],
      guard: { offencesAMinute: 4 },
    },
  })
  const branch = peerAt('203.0.113.9')
  const session = new DigestSession({ user: 'branch', password: 'secret' })
  const take = (admission: Admission, sent = {}) => {
    const fields = admission.kind === 'refused' ? admission.fields : []
    return session.takes({ status: 401, get: () => fields[0]?.value }, sent)
  }
  const challenged = door.admit(invite(), branch)
  t.equal(shown(challenged), 401)
  t.ok(take(challenged))
  const credentials = () => {
    const { Authorization = '' } = session.headersFor({
      method: 'INVITE',
      uri: 'sip:recorder@127.0.0.1',
      body: '',
    })
    return [`Authorization: ${Authorization}`]
  }
  const first = credentials()
  t.equal(shown(door.admit(invite(first), branch)), 'admitted')
  t.equal(shown(door.admit(invite(first), branch)), 401, 'once')
  t.same(outcomes, ['challenged', 'admitted', 'challenged'])
  for (let times = 0; times < 30; times += 1) door.offended('malformed', branch)
  t.same(bans, [], 'who has proven to be a peer is not banned')
  clock.advance(3_600_000)
  for (let times = 0; times < 30; times += 1) door.offended('malformed', branch)
  t.same(bans, ['malformed'], 'an hour later it has to prove that anew')
})

t.test('somebody who guesses passwords is banned', async (t) => {
  const { door, bans } = doorOf({
    sip: {
      peers: [{ name: 'branch', digest: { user: 'branch', password: 'secret' } }],
      guard: { offencesAMinute: 10, strangerAnswersPerS: 100 },
    },
  })
  const guesser = peerAt('203.0.113.9', { name: 'tcp' })
  const session = new DigestSession({ user: 'branch', password: 'guess' })
  for (let times = 0; times < 10; times += 1) {
    t.notOk(door.isShut({ host: guesser.host, transport: 'tcp', names: [] }))
    const answer = door.admit(invite(), guesser)
    t.equal(shown(answer), 401)
  }
  t.ok(door.isShut({ host: guesser.host, transport: 'tcp', names: [] }))
  t.same(bans, ['credentials'])
  t.ok(session)
})

t.test('a scanner is banned at its first word, and a peer with that name is not', async (t) => {
  const { door, bans } = doorOf({ sip: { peers: [sbc] } })
  const scanner = peerAt('203.0.113.9')
  t.same(door.admit(invite(SCANNER), scanner), { kind: 'dropped', reason: 'banned' })
  t.ok(door.isShut({ host: '203.0.113.9', transport: 'udp', names: [] }))
  t.notOk(
    door.isShut({ host: '203.0.113.9', transport: 'tcp', names: [] }),
    'a source may be forged',
  )
  t.same(bans, ['scanner'])
  t.equal(shown(door.admit(invite(SCANNER), peerAt('192.0.2.7'))), 'admitted')
  t.equal(door.bans.length, 1)
  t.ok(door.lift('203.0.113.9'))
  t.notOk(door.isShut({ host: '203.0.113.9', transport: 'udp', names: [] }))
})

t.test('nobody can have a peer banned, nor somebody who is in a call', async (t) => {
  const targets = [{ uri: 'sip:[2001:db8::20]:5070' }]
  const { door, bans, dialogs } = doorOf({
    sip: { peers: [sbc], guard: { neverBan: ['198.51.100.0/24'] } },
    siprec: { peers: [{ name: 'client', from: ['203.0.113.40'] }] },
    trunk: { routes: [{ name: 'out', from: ['203.0.113.41'], targets }] },
  })
  dialogs.set('203.0.113.50', 1)
  const spared = ['192.0.2.7', '198.51.100.1', '203.0.113.40', '203.0.113.41', '2001:db8::20']
  for (const host of [...spared, '203.0.113.50']) {
    for (let times = 0; times < 100; times += 1) door.offended('malformed', peerAt(host))
    door.admit(invite(SCANNER), peerAt(host))
    t.notOk(door.isShut({ host, transport: 'udp', names: [] }), host)
  }
  t.same(bans, [])
})

t.test('an address that others have got banned lets a certificate through', async (t) => {
  const { door } = doorOf({
    sip: { peers: [{ name: 'branch', tlsNames: ['branch.example.com'] }], strangers: 'refuse' },
  })
  const host = '203.0.113.9'
  for (let times = 0; times < 100; times += 1) {
    door.offended('malformed', peerAt(host, { name: 'tcp' }))
  }
  t.ok(door.isShut({ host, transport: 'tcp', names: [] }))
  t.notOk(door.isShut({ host, transport: 'tls', names: undefined }), 'nobody knows yet')
  t.ok(door.isShut({ host, transport: 'tls', names: [] }))
  t.notOk(door.isShut({ host, transport: 'tls', names: ['branch.example.com'] }))
  const unnamed = doorOf({ sip: { peers: [sbc] } })
  for (let times = 0; times < 100; times += 1) {
    unnamed.door.offended('malformed', peerAt(host, { name: 'tcp' }))
  }
  t.ok(unnamed.door.isShut({ host, transport: 'tls', names: undefined }), 'before the handshake')
})

t.test(
  'each source has so many requests and dialogs, and a stranger so many answers',
  async (t) => {
    const { door, clock, dialogs, outcomes } = doorOf({
      sip: {
        peers: [sbc],
        guard: { requestsPerS: 10, strangerAnswersPerS: 2, maxDialogsPerSource: 5, banS: 0 },
      },
    })
    const many = (host: string) =>
      Array.from({ length: 30 }, () => shown(door.admit(invite(), peerAt(host))))
    const count = (all: readonly unknown[], wanted: unknown) =>
      all.filter((one) => one === wanted).length
    const peers = many('192.0.2.7')
    t.equal(count(peers, 'admitted'), 20)
    t.equal(count(peers, 503), 10)
    t.equal(count(many('192.0.2.8'), 'admitted'), 20, 'another peer is not hindered')
    const strangers = many('203.0.113.9')
    t.equal(count(strangers, 403), 4)
    t.equal(count(strangers, 'dropped'), 26)
    clock.advance(10_000)
    dialogs.set('192.0.2.7', 5)
    t.equal(shown(door.admit(invite(), peerAt('192.0.2.7'))), 503)
    t.equal(outcomes.at(-1), 'too_many_dialogs')
    t.equal(shown(door.admit(invite([], 'OPTIONS'), peerAt('192.0.2.7'))), 'admitted')
  },
)
