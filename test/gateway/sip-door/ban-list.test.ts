import t from 'tap'
import { type Ban, BanList } from '../../../gateway/sip-door/ban-list.ts'
import { ManualClock } from '../../manual-clock.ts'

function listOf(options: { readonly offencesAMinute?: number; readonly banMs?: number } = {}) {
  const clock = new ManualClock()
  const told: Ban[] = []
  const bans = new BanList({
    offencesAMinute: 3,
    banMs: 600_000,
    ...options,
    clock,
    onBanned: (ban) => told.push(ban),
  })
  return { clock, told, bans }
}

t.test(
  'a source is banned at its last offence of a minute, told of once, and let in again',
  async (t) => {
    const { clock, told, bans } = listOf()
    for (let times = 0; times < 2; times += 1) bans.note('192.0.2.1', 'malformed', 'tcp')
    t.notOk(bans.isBanned('192.0.2.1', 'tcp'))
    bans.note('192.0.2.1', 'refused', 'tcp')
    t.ok(bans.isBanned('192.0.2.1', 'tcp'))
    t.ok(bans.isBanned('192.0.2.1', 'udp'))
    t.notOk(bans.isBanned('192.0.2.2', 'tcp'))
    t.match(told, [{ source: '192.0.2.1', reason: 'refused', scope: 'everything' }])
    t.equal(bans.list().length, 1)
    clock.advance(600_000)
    t.notOk(bans.isBanned('192.0.2.1', 'tcp'))
    t.same(bans.list(), [])
  },
)

t.test('offences that come slowly are forgotten', async (t) => {
  const { clock, bans } = listOf()
  for (let times = 0; times < 6; times += 1) {
    bans.note('192.0.2.1', 'malformed', 'tcp')
    clock.advance(31_000)
  }
  t.notOk(bans.isBanned('192.0.2.1', 'tcp'))
})

t.test(
  'what datagrams earn keeps no connection out, since anybody may write any source',
  async (t) => {
    const { bans, told } = listOf()
    for (let times = 0; times < 30; times += 1) bans.note('192.0.2.1', 'malformed', 'udp')
    t.ok(bans.isBanned('192.0.2.1', 'udp'))
    t.notOk(bans.isBanned('192.0.2.1', 'tcp'))
    t.notOk(bans.isBanned('192.0.2.1', 'tls'))
    bans.note('192.0.2.1', 'malformed', 'tcp')
    t.notOk(bans.isBanned('192.0.2.1', 'tcp'), 'its connections are counted for themselves')
    bans.ban('192.0.2.1', 'scanner', 'tcp')
    bans.ban('192.0.2.1', 'scanner', 'udp')
    t.ok(bans.isBanned('192.0.2.1', 'tls'), 'a lesser ban does not shorten it')
    t.equal(told.at(-1)?.scope, 'everything')
  },
)

t.test('a ban can be lifted, and a length of nothing bans nobody', async (t) => {
  const { bans } = listOf()
  bans.ban('192.0.2.1', 'scanner', 'tcp')
  t.ok(bans.lift('192.0.2.1'))
  t.notOk(bans.lift('192.0.2.1'))
  t.notOk(bans.isBanned('192.0.2.1', 'tcp'))
  const none = listOf({ banMs: 0 })
  none.bans.ban('192.0.2.1', 'scanner', 'tcp')
  t.notOk(none.bans.isBanned('192.0.2.1', 'tcp'))
  t.same(none.told, [])
})

t.test('a flood of sources takes no more memory than it may', async (t) => {
  const { bans } = listOf({ offencesAMinute: 1 })
  for (let source = 0; source < 25_000; source += 1) bans.note(`${source}`, 'malformed', 'udp')
  t.equal(bans.list().length, 10_000)
  t.ok(bans.isBanned('24999', 'udp'))
})
