import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { askEventSocket } from '../../../../gateway/media/freeswitch/event-socket.ts'

/** An event socket that says whatever a test wants at each turn. */
async function serve(
  t: Test,
  greet: (socket: Socket) => void,
  answers: readonly string[] = [],
  /** Comes a moment after the last answer. */
  rest = '',
) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const left = [...answers]
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('data', () => {
      const next = left.shift()
      if (next !== undefined) socket.write(next)
      if (rest !== '' && left.length === 0) setTimeout(() => socket.write(rest), 2)
    })
    greet(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { host: '127.0.0.1', port, password: 'secret' }
}

const GREETING = 'Content-Type: auth/request\n\n'
const WELCOME = 'Content-Type: command/reply\nReply-Text: +OK accepted\n\n'
const hello = (socket: Socket) => socket.write(GREETING)

t.test('an answer comes whole, however it is cut', async (t) => {
  const body = 'UP 0 years, 0 days\nready\n'
  const answer = `Content-Type: api/response\nContent-Length: ${body.length}\n\n${body}`
  for (let cut = 1; cut < answer.length; cut++) {
    const address = await serve(t, hello, [WELCOME, answer.slice(0, cut)], answer.slice(cut))
    t.equal(await askEventSocket(address, 'status', 2000), body)
  }
})

for (const [what, greet, answers, message] of [
  [
    'a wrong password',
    hello,
    ['Content-Type: command/reply\nReply-Text: -ERR invalid\n\n'],
    /password/,
  ],
  [
    'an address that is not on the list',
    (socket: Socket) => socket.write('Content-Type: text/rude-rejection\n\n'),
    [],
    /access list/,
  ],
  ['silence', () => {}, [], /no answer within 300 ms/],
  ['a server that hangs after the password', hello, [WELCOME], /no answer within 300 ms/],
  ['a server that goes away', (socket: Socket) => socket.destroy(), [], /closed the connection/],
  [
    'an answer without an end',
    hello,
    [WELCOME, 'Content-Type: api/response\nContent-Length: 999999999\n\n'],
    /cannot be read/,
  ],
  ['an endless header', (socket: Socket) => socket.write('x'.repeat(300_000)), [], /too long/],
] as const) {
  t.test(`${what} settles the question`, async (t) => {
    const address = await serve(t, greet, answers)
    await t.rejects(askEventSocket(address, 'status', 300), { code: 'no_media_server', message })
  })
}
