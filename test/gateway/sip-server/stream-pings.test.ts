import t from 'tap'
import { StreamPings } from '../../../gateway/sip-server/stream-pings.ts'

const PONG = Buffer.from('\r\n')

t.test('a quiet connection is pinged, one that is busy is not', async (t) => {
  const pings = new StreamPings(1_000, 0)
  t.equal(pings.due(999), 'nothing')
  pings.heard(Buffer.from('SIP/2.0 200 OK'), 999)
  t.equal(pings.due(1_998), 'nothing')
  t.equal(pings.due(1_999), 'ping')
  t.equal(pings.due(2_000), 'nothing')
})

t.test('a peer that answered once is gone when it answers no more', async (t) => {
  const pings = new StreamPings(1_000, 0)
  t.equal(pings.due(1_000), 'ping')
  pings.heard(PONG, 1_100)
  t.equal(pings.due(2_100), 'ping')
  t.equal(pings.due(12_100), 'nothing', 'one that is awaited is not sent again')
  t.equal(pings.due(12_101), 'unanswered')
})

t.test('a peer that never answered is pinged on, and lives', async (t) => {
  const pings = new StreamPings(1_000, 0)
  t.equal(pings.due(1_000), 'ping')
  t.equal(pings.due(20_000), 'ping')
  pings.heard(Buffer.from('OPTIONS sip:a@b SIP/2.0'), 20_500)
  t.equal(pings.due(60_000), 'ping')
  t.equal(pings.due(90_000), 'ping')
})

t.test('0 pings never', async (t) => {
  t.equal(new StreamPings(0, 0).due(1_000_000), 'nothing')
})
