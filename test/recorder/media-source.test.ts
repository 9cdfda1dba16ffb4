import t from 'tap'
import { MediaSource, type PacketOrigin } from '../../recorder/media-source.ts'

const SIGNALLED = { address: '192.0.2.1', port: 4000 }
const NAT = { address: '198.51.100.1', port: 5000 }
const STRANGER = { address: '203.0.113.1', port: 6000 }

/** Packets of one sender, 20 ms apart, as decisions. */
function sender(from: { address: string; port: number }, ssrc = 1) {
  let sequenceNumber = 65_530
  return (source: MediaSource, fromMs: number, count: number) =>
    Array.from({ length: count }, (_, index) => {
      const origin: PacketOrigin = {
        ...from,
        ssrc,
        sequenceNumber: sequenceNumber++ & 0xffff,
        arrivedAtMs: fromMs + index * 20,
      }
      return source.judge(origin)
    })
}

t.test('the signalled source is accepted at once', async (t) => {
  const source = new MediaSource(SIGNALLED)
  t.same(sender(SIGNALLED)(source, 0, 3), ['switched', 'accepted', 'accepted'])
  t.match(source.address, SIGNALLED)
})

t.test(
  'another source is learned once, after a while in which the signalled one is silent',
  async (t) => {
    const source = new MediaSource(SIGNALLED)
    const nat = sender(NAT)
    t.same(nat(source, 0, 10), Array(10).fill('held'))
    t.same(nat(source, 200, 2), ['switched', 'accepted'])
    t.same(sender(STRANGER)(source, 220, 50), Array(50).fill('refused'))
    t.same(nat(source, 5000, 2), ['accepted', 'accepted'], 'nor after a pause')
  },
)

t.test('without a signalled address two packets in sequence are enough', async (t) => {
  for (const remote of [undefined, { address: '0.0.0.0', port: 9 }, { address: '::', port: 9 }]) {
    t.same(sender(NAT)(new MediaSource(remote), 0, 3), ['held', 'switched', 'accepted'])
  }
})

t.test('a stranger never takes the place of the signalled source', async (t) => {
  const source = new MediaSource(SIGNALLED)
  const stranger = sender(STRANGER, 9)
  const signalled = sender(SIGNALLED)
  stranger(source, 0, 5)
  t.same(signalled(source, 100, 2), ['switched', 'accepted'])
  t.same(stranger(source, 120, 100), Array(100).fill('refused'))
})

t.test('the signalled source displaces one that was learned before it spoke', async (t) => {
  const source = new MediaSource(SIGNALLED)
  t.equal(sender(STRANGER, 9)(source, 0, 20).at(-1), 'accepted')
  t.same(sender(SIGNALLED)(source, 410, 3), ['held', 'switched', 'accepted'])
  t.same(sender(STRANGER, 9)(source, 430, 30), Array(30).fill('refused'))
})

t.test('packets out of sequence do not latch', async (t) => {
  const source = new MediaSource(undefined)
  const decisions = [1, 100, 7, 4000, 3].map((sequenceNumber, index) =>
    source.judge({ ...STRANGER, ssrc: 1, sequenceNumber, arrivedAtMs: index * 20 }),
  )
  t.same(decisions, Array(5).fill('held'))
})

t.test('a new SSRC is taken when the old one has fallen silent', async (t) => {
  const source = new MediaSource(SIGNALLED)
  sender(SIGNALLED, 1)(source, 0, 10)
  const decisions = sender(SIGNALLED, 2)(source, 200, 8)
  t.same(decisions.slice(0, 4), Array(4).fill('held'))
  t.equal(decisions[4], 'switched')
  t.equal(source.ssrc, 2)
})

t.test('a second SSRC beside one that goes on is not taken', async (t) => {
  const source = new MediaSource(SIGNALLED)
  const one = sender(SIGNALLED, 1)
  const two = sender(SIGNALLED, 2)
  one(source, 0, 2)
  for (let ms = 40; ms < 2000; ms += 20) {
    t.same(one(source, ms, 1), ['accepted'])
    t.same(two(source, ms + 1, 1), ['held'])
  }
  t.equal(source.ssrc, 1)
})

t.test('after a re-offer a new SSRC needs two packets, and an unchanged one none', async (t) => {
  const source = new MediaSource(SIGNALLED)
  const one = sender(SIGNALLED, 1)
  one(source, 0, 2)
  source.reoffer(SIGNALLED)
  t.same(one(source, 40, 2), ['accepted', 'accepted'])
  t.same(sender(SIGNALLED, 2)(source, 60, 2), ['held', 'switched'])
})

t.test(
  'a re-offer that names another address lets the old one go on until the new one speaks',
  async (t) => {
    const source = new MediaSource(SIGNALLED)
    const old = sender(SIGNALLED, 1)
    old(source, 0, 2)
    source.reoffer({ address: '192.0.2.1', port: 4100 })
    t.same(old(source, 40, 3), ['accepted', 'accepted', 'accepted'])
    t.same(sender({ address: '192.0.2.1', port: 4100 }, 2)(source, 100, 2), ['held', 'switched'])
    t.same(old(source, 140, 2), ['refused', 'refused'])
  },
)

t.test('a re-offer of the same address opens nothing to strangers', async (t) => {
  const source = new MediaSource(SIGNALLED)
  sender(SIGNALLED)(source, 0, 2)
  source.reoffer(SIGNALLED)
  t.same(sender(STRANGER, 9)(source, 5000, 20), Array(20).fill('refused'))
})

t.test('IPv6 addresses match however they are written', async (t) => {
  const source = new MediaSource({ address: '2001:DB8:0:0::0001', port: 4000 })
  t.same(sender({ address: '2001:db8::1', port: 4000 })(source, 0, 1), ['switched'])
})

t.test('a name instead of an address is learned', async (t) => {
  const source = new MediaSource({ address: 'sbc.example', port: 4000 })
  t.same(sender(NAT)(source, 0, 2), ['held', 'switched'])
})
