import { createSocket } from 'node:dgram'
import t from 'tap'
import { FileBudget, processFileLimit } from '../../recorder/file-budget.ts'
import { PortPool } from '../../recorder/port-pool.ts'
import { bindSocketPair, closeSocketPair } from '../../recorder/rtp-sockets.ts'
import { ManualClock } from '../manual-clock.ts'

t.test('ports are even, begin anywhere in the range, and come back last', async (t) => {
  const clock = new ManualClock()
  const pool = new PortPool({ from: 4001, to: 4010, restMs: 0, clock, random: () => 0.6 })
  t.same([pool.take(), pool.take(), pool.take()], [4006, 4008, 4002])
  pool.release(4006)
  t.same([pool.take(), pool.take(), pool.take()], [4004, 4006, undefined])
})

t.test('a pair needs both its ports within the range', async (t) => {
  const pool = new PortPool({ from: 4000, to: 4002, restMs: 0, clock: new ManualClock() })
  t.same([pool.take(), pool.take()], [4000, undefined])
})

t.test('a released port rests', async (t) => {
  const clock = new ManualClock()
  const pool = new PortPool({ from: 4000, to: 4001, restMs: 10_000, clock })
  t.match(pool, { free: 1, inUse: 0, resting: 0 })
  t.equal(pool.take(), 4000)
  t.match(pool, { free: 0, inUse: 1, resting: 0 })
  pool.release(4000)
  clock.advance(9999)
  t.equal(pool.take(), undefined)
  t.match(pool, { free: 0, inUse: 0, resting: 1 })
  clock.advance(1)
  t.match(pool, { free: 1, inUse: 0, resting: 0 })
  t.equal(pool.take(), 4000)
})

t.test('a port that another process holds is skipped', async (t) => {
  const taken = createSocket('udp4')
  const port = await new Promise<number>((resolve) =>
    taken.bind(0, '127.0.0.1', () => resolve(taken.address().port)),
  )
  t.teardown(() => taken.close())
  const even = port - (port % 2)
  const pool = new PortPool({
    from: even,
    to: even + 41,
    restMs: 60_000,
    clock: new ManualClock(),
    random: () => 0,
  })
  const pair = await bindSocketPair(pool, '127.0.0.1')
  if (pair === undefined) throw new Error('no port in 21 pairs')
  t.not(pair.rtpPort, even)
  t.equal(pair.rtp.address().port, pair.rtpPort)
  t.equal(pair.rtcp.address().port, pair.rtpPort + 1)
  closeSocketPair(pair, pool)
  t.equal(pool.inUse, 0)
})

t.test('an address that is not here is an error, and costs no port', async (t) => {
  const pool = new PortPool({ from: 4000, to: 4001, restMs: 0, clock: new ManualClock() })
  await t.rejects(bindSocketPair(pool, '192.0.2.1'), { code: 'EADDRNOTAVAIL' })
  t.equal(pool.free, 1)
})

t.test('files are granted up to the limit, less what others need', async (t) => {
  const clock = new ManualClock()
  let open = 100
  const budget = new FileBudget({ clock, limit: 240, countOpen: () => open })
  t.same([budget.grant(5), budget.grant(5), budget.grant(5)], [true, true, false])
  open = 50
  t.equal(budget.grant(5), false, 'counted at most once a second')
  clock.advance(1000)
  t.equal(budget.grant(5), true)
  t.ok(processFileLimit() > 0)
})
