import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { ForkLeg } from '../../recorder/fork-leg.ts'
import { ForkServer } from '../../recorder/fork-server.ts'
import { TimelineLeg } from '../../recorder/timeline-leg.ts'
import { ManualClock } from '../manual-clock.ts'
import { until } from '../until.ts'

const FRAME_MS = 100
const FRAME_SAMPLES = 800

async function serve(t: Test, maxForks = 10) {
  const clock = new ManualClock()
  const server = new ForkServer({ host: '127.0.0.1', port: 0, maxForks, clock })
  const port = await server.start()
  t.teardown(() => server.close())
  const good = await startGoodFork(t, { server, port, clock })
  return { server, port, good }
}

type Served = Awaited<ReturnType<typeof serve>>

interface Serving {
  readonly server: ForkServer
  readonly port: number
  readonly clock: ManualClock
}

/** A fork whose caller says one number after the other, at the clock's pace. */
async function startGoodFork(t: Test, { server, port, clock }: Serving) {
  const timeline = new TimelineLeg(0, () => {})
  const leg = new ForkLeg({
    plan: { streamId: 'caller', role: 'caller', isReceiving: true },
    leg: timeline,
    clock,
    onLost: () => t.fail('nothing of the good fork is lost'),
  })
  const ended: number[] = []
  const connected = new Promise<void>((onConnected) => {
    server.expect('good', { legs: [leg], onConnected, onEnded: (code) => ended.push(code) })
  })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/good`, 'audio.drachtio.org')
  await Promise.all([connected, once(socket, 'open')])
  const said: number[] = []
  const heard: number[] = []
  return {
    /** Speaks for so long, while the clock goes on. */
    async speak(forMs = FRAME_MS): Promise<void> {
      for (let spokenMs = 0; spokenMs < forMs; spokenMs += FRAME_MS) {
        clock.advance(FRAME_MS)
        const frame = new Int16Array(FRAME_SAMPLES).map(
          (_, index) => 1 + ((said.length + index) % 30_000),
        )
        const { placed } = leg.tally
        socket.send(Buffer.from(frame.buffer))
        said.push(...frame)
        await until(() => leg.tally.placed === placed + FRAME_SAMPLES / 160)
        while (timeline.end > timeline.base) {
          timeline.take()
          heard.push(...timeline.slot)
        }
      }
    },
    /** Speaks once more, and looks whether everything was heard. */
    async isWhole(t: Test): Promise<void> {
      await this.speak()
      t.same(
        heard.filter((sample) => sample !== 0),
        said,
      )
      t.same(ended, [])
    },
  }
}

/** Connects, and collects what comes until the connection is closed. */
async function dial(t: Test, port: number) {
  const socket = connect(port, '127.0.0.1')
  const came: Buffer[] = []
  socket.on('data', (bytes) => came.push(bytes))
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await once(socket, 'connect')
  return { socket, closed, answer: () => Buffer.concat(came) }
}

function handshake(token: string): string {
  return [
    `GET /${token} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: audio.drachtio.org',
    '',
    '',
  ].join('\r\n')
}

/** A fork that was taken and may do what it likes from now on. */
async function dialFork(t: Test, served: Served) {
  const { server, port } = served
  const ended: number[] = []
  const connected = new Promise<void>((onConnected) => {
    server.expect('bad', { legs: [], onConnected, onEnded: (code) => ended.push(code) })
  })
  const dialled = await dial(t, port)
  dialled.socket.write(handshake('bad'))
  await connected
  await until(() => dialled.answer().includes('\r\n\r\n'))
  const answered = dialled.answer().length
  return {
    ...dialled,
    ended,
    /** The close code that it was told (RFC 6455 §5.5.1). */
    code: () => dialled.answer().subarray(answered).readUInt16BE(2),
  }
}

/** A frame of a client, masked with zeros (RFC 6455 §5.2); `first` is FIN and opcode. */
function frame(first: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

for (const [what, sent, expected] of [
  [
    'a frame that is too large',
    [Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 16, 0, 1, 0, 0, 0, 0])],
    { code: 1009, counter: 'oversize' },
  ],
  [
    'a frame of more bytes than a number holds',
    [Buffer.from([0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0])],
    { code: 1009, counter: 'oversize' },
  ],
  [
    'fragments that are too large together',
    [
      Buffer.concat([
        Buffer.from([0x02, 0xff, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0]),
        Buffer.alloc(0xc0000),
      ]),
      Buffer.from([0x00, 0xff, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0, 0]),
    ],
    { code: 1009, counter: 'oversize' },
  ],
  [
    'too many fragments',
    [frame(0x02, new Uint8Array()), ...Array(1024).fill(frame(0x00, new Uint8Array()))],
    { code: 1008, counter: 'oversize' },
  ],
  ['a frame without a mask', [Buffer.from([0x82, 2, 1, 1])], { code: 1002, counter: 'malformed' }],
  [
    'text that is no UTF-8',
    [frame(0x81, Buffer.from([0xc3, 0x28]))],
    { code: 1007, counter: 'malformed' },
  ],
  [
    'an opcode that is none',
    [frame(0x83, new Uint8Array(2))],
    { code: 1002, counter: 'malformed' },
  ],
] as const) {
  t.test(`${what} ends that fork, and another loses nothing`, async (t) => {
    const served = await serve(t)
    const { server, good } = served
    await good.speak()
    const bad = await dialFork(t, served)
    for (const bytes of sent) bad.socket.write(bytes)
    await good.speak()
    await until(() => bad.ended.length === 1)
    await bad.closed
    t.equal(bad.code(), expected.code)
    t.equal(server.counters[expected.counter], 1)
    t.equal(server.counters.idle, 0)
    await good.isWhole(t)
  })
}

t.test('a fork whose message never ends is closed as idle, however it goes on', async (t) => {
  const served = await serve(t)
  const { server, good } = served
  const bad = await dialFork(t, served)
  bad.socket.write(frame(0x02, new Uint8Array(64)))
  for (let elapsedS = 0; elapsedS < 15; elapsedS++) {
    await good.speak(1000)
    bad.socket.write(frame(0x00, new Uint8Array(64)))
  }
  await bad.closed
  await until(() => bad.ended.length === 1)
  t.equal(server.counters.idle, 1)
  await good.isWhole(t)
})

t.test(
  'a fork that is released and does not answer is closed all the same',
  { timeout: 25_000 },
  async (t) => {
    const served = await serve(t)
    const bad = await dialFork(t, served)
    served.server.release('bad')
    await bad.closed
    t.equal(bad.code(), 1000)
    await served.good.isWhole(t)
  },
)

t.test('a handshake that is not whole in time is closed, and its token stays good', async (t) => {
  const { server, port, good } = await serve(t)
  const connected = new Promise<void>((onConnected) => {
    server.expect('late', { legs: [], onConnected, onEnded: () => {} })
  })
  const slow = await dial(t, port)
  for (const [index, byte] of [...handshake('late')].entries()) {
    if (index === 5) break
    slow.socket.write(byte)
    await good.speak(1000)
  }
  await good.speak(1000)
  await slow.closed
  t.equal(server.counters.slow, 1)
  const prompt = await dial(t, port)
  prompt.socket.write(handshake('late'))
  await connected
  await good.isWhole(t)
  t.equal(server.counters.accepted, 2)
})

t.test('connections that show no token make way for a fork that does', async (t) => {
  const { server, port, good } = await serve(t)
  const idle: Awaited<ReturnType<typeof dial>>[] = []
  for (let count = 0; count < 150; count++) idle.push(await dial(t, port))
  await until(() => server.counters.crowded === 50)
  await Promise.all(idle.slice(0, 50).map(({ closed }) => closed))
  await good.speak()
  const connected = new Promise<void>((onConnected) => {
    server.expect('next', { legs: [], onConnected, onEnded: () => {} })
  })
  const next = await dial(t, port)
  next.socket.write(handshake('next'))
  await connected
  t.equal(server.counters.crowded, 51)
  await good.speak(6000)
  await Promise.all(idle.map(({ closed }) => closed))
  t.equal(server.counters.slow, 99)
  t.notOk(next.socket.destroyed)
  await good.isWhole(t)
})

t.test('connections beyond all that may be are not taken', async (t) => {
  const { server, port, good } = await serve(t, 1)
  const idle: Socket[] = []
  for (let count = 0; count < 100; count++) idle.push((await dial(t, port)).socket)
  const beyond = await dial(t, port)
  await beyond.closed
  t.equal(server.counters.crowded, 1)
  t.ok(idle.every(({ destroyed }) => !destroyed))
  await good.isWhole(t)
})

for (const [what, sent, status] of [
  ['no HTTP', '\x16\x03\x01\r\n\r\n', 400],
  ['a request for no WebSocket', 'GET /good HTTP/1.1\r\nHost: a\r\n\r\n', 426],
  ['a handshake without a key', handshake('good').replace(/Sec-WebSocket-Key.*\r\n/, ''), 400],
  ['a header that is too long', `GET / HTTP/1.1\r\nX: ${'a'.repeat(9000)}`, 431],
  ['a token that is not awaited', handshake('good'), 403],
] as const) {
  t.test(`${what} is refused and closed`, async (t) => {
    const { server, port, good } = await serve(t)
    const { socket, closed, answer } = await dial(t, port)
    socket.write(sent)
    await closed
    t.match(answer().toString(), `HTTP/1.1 ${status} `)
    t.equal(server.counters.refused, 1)
    await good.isWhole(t)
  })
}
