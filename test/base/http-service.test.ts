import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Gauge, Registry } from 'prom-client'
import t from 'tap'
import { SystemClock } from '../../base/clock.ts'
import type { HttpLimits } from '../../base/http-limits.ts'
import { createHttpService, type ReadinessCheck } from '../../base/http-service.ts'
import { createSilentLog } from '../../base/log.ts'
import { SECURITY_HEADERS } from '../../base/security-headers.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import { metricValue } from '../metrics-text.ts'
import { until } from '../until.ts'

function service(
  checks: readonly ReadinessCheck[] = [],
  { port = 0, limits = {} }: { readonly port?: number; readonly limits?: Partial<HttpLimits> } = {},
) {
  const registry = new Registry()
  const made = createHttpService({
    host: '127.0.0.1',
    port,
    checks,
    registry,
    clock: new SystemClock(),
    log: createSilentLog(),
    limits,
    checkTimeoutMs: 50,
    closeAfterMs: 50,
  })
  /** Connections that were cut for a reason. */
  const cut = async (reason: string) =>
    metricValue(await registry.metrics(), `tallenne_http_connections_cut_total{reason="${reason}"}`)
  return { ...made, registry, cut }
}

t.test('healthz says alive whatever the checks say', async (t) => {
  const { app, close } = service([{ name: 'database', check: () => 'gone' }])
  t.teardown(close)
  const answer = await app.inject('/healthz')
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { alive: true })
})

t.test('readyz is 200 when every check is well', async (t) => {
  const { app, close } = service([{ name: 'database', check: async () => undefined }])
  t.teardown(close)
  const answer = await app.inject('/readyz')
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { ready: true, checks: [{ name: 'database', ready: true }] })
})

t.test('what is not vital is told, and keeps nobody from being ready', async (t) => {
  const { app } = service([
    { name: 'sip', check: () => undefined },
    { name: 'store', isVital: false, check: () => 'it hangs' },
  ])
  const answer = await app.inject('/readyz')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), {
    ready: true,
    checks: [
      { name: 'sip', ready: true },
      { name: 'store', ready: false, reason: 'it hangs' },
    ],
  })
})

t.test('readyz is 503 with the reason of each check that fails, throws or hangs', async (t) => {
  // The clock of a process does not keep it alive; a listening server would.
  const endless = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(endless))
  const { app, close } = service([
    { name: 'disk', check: () => 'only 1 % is free' },
    {
      name: 'database',
      check: () => {
        throw new Error('connection refused')
      },
    },
    { name: 'journal', check: () => new Promise(() => {}) },
  ])
  t.teardown(close)
  const answer = await app.inject('/readyz')
  t.equal(answer.statusCode, 503)
  t.same(answer.json(), {
    ready: false,
    checks: [
      { name: 'disk', ready: false, reason: 'only 1 % is free' },
      { name: 'database', ready: false, reason: 'connection refused' },
      { name: 'journal', ready: false, reason: 'no answer within 50 ms' },
    ],
  })
})

t.test('metrics are those of the registry', async (t) => {
  const { app, close, registry } = service()
  t.teardown(close)
  new Gauge({ name: 'tallenne_test', help: 'A test.', registers: [registry] }).set(3)
  const answer = await app.inject('/metrics')
  t.match(answer.headers['content-type'], /^text\/plain/)
  t.equal(metricValue(answer.body, 'tallenne_test'), 3)
})

t.test('an error that names its status is shown, any other is hidden', async (t) => {
  const { app, close } = service()
  t.teardown(close)
  app.get('/known', () => {
    throw Object.assign(new TallenneError('bad_cursor', 'The cursor is not ours.'), {
      statusCode: 400,
    })
  })
  app.get('/unknown', () => {
    throw new Error('password is hunter2')
  })
  const known = await app.inject('/known')
  t.equal(known.statusCode, 400)
  t.match(known.json(), { status: 400, code: 'bad_cursor', detail: 'The cursor is not ours.' })
  const unknown = await app.inject('/unknown')
  t.equal(unknown.statusCode, 500)
  t.match(unknown.json(), { status: 500, code: 'internal', detail: 'The request failed.' })
  t.equal((await app.inject('/nothing')).json().code, 'not_found')
})

t.test('what is refused before any route is a problem document like all others', async (t) => {
  const { app, close } = service()
  t.teardown(close)
  app.get('/things/:id', () => ({}))
  for (const [path, status] of [
    ['/%', 400],
    ['/things/%ff', 400],
    [`/things/${'a'.repeat(5000)}`, 414],
    ['/nothing', 404],
  ] as const) {
    const answer = await app.inject(path)
    t.equal(answer.statusCode, status)
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
    t.match(answer.json(), { status, code: String, detail: String })
    t.notMatch(answer.body, 'aaaa', 'the path is not echoed')
    t.match(answer.headers, SECURITY_HEADERS)
  }
})

for (const [what, sent, status, reason] of [
  ['no HTTP', '\x16\x03\x01\r\n\r\n', 400, 'no_http'],
  [
    'a request of two lengths',
    'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    400,
    'no_http',
  ],
  ['a header that does not end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}`, 431, 'too_long'],
  [
    'a request without a host',
    'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n',
    400,
    undefined,
  ],
] as const) {
  t.test(`${what} is refused by a problem document with all headers`, async (t) => {
    const { start, close, cut } = service()
    t.teardown(close)
    const socket = connect((await start()).port, '127.0.0.1')
    socket.end(sent)
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
    t.match(head, `HTTP/1.1 ${status} `)
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      t.ok(head.includes(`\r\n${name}: ${value}`), name)
    }
    t.match(JSON.parse(body), { status, code: 'bad_request', detail: String })
    if (reason !== undefined) t.equal(await cut(reason), 1)
  })
}

t.test('an expectation that nobody knows is passed over', async (t) => {
  const { start, close } = service()
  t.teardown(close)
  const socket = connect((await start()).port, '127.0.0.1')
  socket.end('GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\nConnection: close\r\n\r\n')
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  t.match(head, 'HTTP/1.1 200 ')
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    t.ok(head.includes(`\r\n${name}: ${value}`), name)
  }
  t.same(JSON.parse(body), { alive: true })
})

for (const [what, sent] of [
  ['nothing', ''],
  ['half of its headers', 'GET /healthz HTTP/1.1\r\nHost: a\r\n'],
  ['half of its body', 'POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1'],
] as const) {
  t.test(`a client that sends ${what} is told in time, and closed`, async (t) => {
    const limits = { headersMs: 100, requestMs: 200, lookEveryMs: 20 }
    const { app, start, close, cut } = service([], { limits })
    t.teardown(close)
    app.post('/take', () => ({}))
    const socket = connect((await start()).port, '127.0.0.1')
    socket.write(sent)
    t.match(await text(socket), 'HTTP/1.1 408 ')
    t.equal(await cut('too_slow'), 1)
  })
}

t.test('a client that takes nothing of its answer is cut off', async (t) => {
  const { app, start, close, cut } = service([], { limits: { stalledMs: 100 } })
  t.teardown(close)
  const big = Buffer.alloc(32 * 1024 * 1024)
  app.get('/big', (_request, reply) => reply.type('application/octet-stream').send(big))
  const socket = connect((await start()).port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.pause()
  socket.write('GET /big HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(async () => (await cut('stalled')) === 1)
})

t.test(
  'connections beyond the limit are closed and counted, and those before it served',
  async (t) => {
    const { start, close, cut } = service([], { limits: { connections: 2 } })
    t.teardown(close)
    const { port } = await start()
    const [first, second] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    await Promise.all([first, second].map((socket) => once(socket, 'connect')))
    const beyond = connect(port, '127.0.0.1')
    await once(beyond, 'close')
    t.equal(await cut('too_many'), 1)
    first.end('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    t.match(await text(first), 'HTTP/1.1 200 ')
    second.destroy()
  },
)

t.test('a taken port is told as such', async (t) => {
  const first = service()
  t.teardown(first.close)
  const { port } = await first.start()
  const second = service([], { port })
  t.teardown(second.close)
  await t.rejects(second.start(), { code: 'port_taken', message: new RegExp(`port ${port} `) })
})

t.test('an address of another machine is told as such', async (t) => {
  const made = createHttpService({
    host: '192.0.2.1',
    port: 0,
    checks: [],
    registry: new Registry(),
    clock: new SystemClock(),
    log: createSilentLog(),
  })
  t.teardown(made.close)
  await t.rejects(made.start(), { code: 'address_unavailable' })
})

t.test(
  'close cuts off a connection that never finishes its request, and is idempotent',
  async (t) => {
    const { start, close } = service()
    const { port } = await start()
    const socket = connect(port, '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.write('GET /healthz HTTP/1.1\r\n')
    const socketClosed = new Promise((resolve) => socket.once('close', resolve))
    await Promise.all([close(), close()])
    await socketClosed
    t.pass('closed')
  },
)
