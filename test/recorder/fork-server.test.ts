import t from 'tap'
import { WebSocket } from 'ws'
import { SystemClock } from '../../base/clock.ts'
import { ForkLeg } from '../../recorder/fork-leg.ts'
import { ForkServer } from '../../recorder/fork-server.ts'
import { TimelineLeg } from '../../recorder/timeline-leg.ts'
import { until } from '../until.ts'

const clock = new SystemClock()

async function serve(t: { teardown(end: () => void): void }) {
  const server = new ForkServer({ host: '127.0.0.1', port: 0, maxForks: 10, clock })
  const port = await server.start()
  t.teardown(() => server.close())
  const legOf = (role: 'caller' | 'agent') =>
    new ForkLeg({
      plan: { streamId: role, role, isReceiving: true },
      leg: new TimelineLeg(Math.round(clock.monotonicMs() * 8) - 8000, () => {}),
      clock,
      onLost: () => {},
    })
  const legs = [legOf('caller'), legOf('agent')] as const
  const ended: number[] = []
  const connected = new Promise<void>((resolve) => {
    server.expect('token-1', {
      legs,
      onConnected: resolve,
      onEnded: (code) => ended.push(code),
    })
  })
  return { server, legs, ended, connected, url: `ws://127.0.0.1:${port}/token-1` }
}

/** Everything a leg holds, as the timeline would take it. */
function heard(leg: TimelineLeg): number[] {
  const samples: number[] = []
  while (leg.end > leg.base) {
    leg.take()
    samples.push(...leg.slot)
  }
  return samples.filter((sample) => sample !== 0)
}

function stereo(samples: number, left: number, right: number): Buffer {
  const frame = Buffer.alloc(samples * 4)
  for (let index = 0; index < samples; index++) {
    frame.writeInt16LE(left + index, index * 4)
    frame.writeInt16LE(right - index, index * 4 + 2)
  }
  return frame
}

async function send(url: string, frames: readonly Buffer[]): Promise<WebSocket> {
  const socket = new WebSocket(url, 'audio.drachtio.org')
  await new Promise((resolve) => socket.once('open', resolve))
  for (const frame of frames) socket.send(frame)
  return socket
}

/** Until it holds; what a busy machine took for a stall is settled meanwhile, as the engine does. */
async function untilPlaced(legs: readonly ForkLeg[], condition: () => boolean): Promise<void> {
  await until(() => {
    for (const leg of legs) leg.settle()
    return condition()
  })
}

t.test('left is the first leg and right the second, sample by sample', async (t) => {
  const { url, legs, connected } = await serve(t)
  await send(url, [stereo(160, 1000, -1000)])
  await connected
  await untilPlaced(legs, () => legs[0].tally.placed === 1)
  t.same(
    heard(legs[0].leg),
    Array.from({ length: 160 }, (_, index) => 1000 + index),
  )
  t.same(
    heard(legs[1].leg),
    Array.from({ length: 160 }, (_, index) => -1000 - index),
  )
})

t.test('frames of any size, cut within a sample, are one stream', async (t) => {
  const { url, legs } = await serve(t)
  const whole = stereo(800, 2000, -2000)
  const cuts = [0, 1, 6, 641, 1999, 2002, whole.length]
  await send(
    url,
    cuts.slice(1).map((to, index) => whole.subarray(cuts[index], to)),
  )
  await untilPlaced(legs, () => legs[1].leg.end - legs[1].leg.base >= 800)
  t.same(
    heard(legs[0].leg),
    Array.from({ length: 800 }, (_, index) => 2000 + index),
  )
  t.same(
    heard(legs[1].leg),
    Array.from({ length: 800 }, (_, index) => -2000 - index),
  )
})

t.test('a token opens one connection, and an unknown one none', async (t) => {
  const { url, server, connected } = await serve(t)
  await send(url, [])
  await connected
  for (const refused of [url, `${url}x`, url.replace('token-1', '')]) {
    const status = await new Promise((resolve) => {
      const socket = new WebSocket(refused)
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
      socket.on('error', () => {})
    })
    t.equal(status, 403, refused)
  }
  t.equal(server.counters.accepted, 1)
  t.equal(server.counters.refused, 3)
})

t.test(
  'a fork that ends by itself is told with its code, one that is released is closed',
  async (t) => {
    const { url, server, ended, legs } = await serve(t)
    const first = await send(url, [stereo(160, 1000, -1000)])
    await untilPlaced(legs, () => legs[0].tally.placed === 1)
    first.close(1001)
    await until(() => ended.length === 1)
    t.same(ended, [1001])
    server.expect('token-2', { legs, onConnected: () => {}, onEnded: (code) => ended.push(code) })
    const second = await send(url.replace('token-1', 'token-2'), [])
    const closed = new Promise((resolve) => second.once('close', resolve))
    server.release('token-2')
    t.equal(await closed, 1000)
    t.same(ended, [1001])
  },
)

t.test('text frames are counted and are no audio', async (t) => {
  const { url, server, legs } = await serve(t)
  const socket = await send(url, [])
  socket.send('{"a":1}')
  socket.send(stereo(160, 1000, -1000))
  await untilPlaced(legs, () => legs[0].tally.placed === 1)
  t.equal(server.counters.text, 1)
  t.equal(heard(legs[0].leg).length, 160)
})
