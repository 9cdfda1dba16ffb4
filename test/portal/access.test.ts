import { pino } from 'pino'
import t from 'tap'
import { newId } from '../../base/uuid.ts'
import { type Identity, identifyByAdminToken } from '../../portal/identity.ts'
import { until } from '../until.ts'
import { answerValidator, validated } from './answer-validator.ts'
import { startTestPortal, TOKEN } from './portal.ts'

const lines: string[] = []
const admin = identifyByAdminToken(TOKEN)
const agent: Identity = { name: 'agent-7', role: 'agent' }
const portal = await startTestPortal({
  identify: (authorization) => (authorization === 'Bearer agent' ? agent : admin(authorization)),
  log: pino({ level: 'debug' }, { write: (line: string) => lines.push(line) }),
})
t.teardown(() => portal.close())
const validate = await answerValidator(portal.url)

const ROUTES = [
  ['/api/contacts', '/api/contacts'],
  [`/api/contacts/${newId()}`, '/api/contacts/{id}'],
  [`/api/contacts/${newId()}/metadata`, '/api/contacts/{id}/metadata'],
  [`/api/recordings/${newId()}`, '/api/recordings/{id}'],
  [`/api/recordings/${newId()}/audio`, '/api/recordings/{id}/audio'],
  ['/api/calls', '/api/calls'],
  ['/api/service-lines', '/api/service-lines'],
] as const

async function problem(path: string, headers: Record<string, string>, documented: string) {
  const response = await fetch(`${portal.url}${path}`, { headers })
  return {
    ...(await validated(validate, response, documented)),
    authenticate: response.headers.get('www-authenticate'),
  }
}

t.test('nothing under /api is served without a token', async (t) => {
  for (const [path, documented] of ROUTES) {
    const answer = await problem(path, {}, documented)
    t.match(answer, { status: 401, wrong: undefined, body: { code: 'unauthorized' } }, path)
    t.equal(answer.authenticate, 'Bearer realm="tallenne"')
  }
  for (const path of ['/api', '/api/', '/api/nothing', '/api/contacts/x/y']) {
    t.equal((await fetch(`${portal.url}${path}`)).status, 401, path)
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
    t.equal((await fetch(`${portal.url}/api/contacts`, { method })).status, 401, method)
  }
})

t.test('credentials that are not the token are 401', async (t) => {
  for (const authorization of [
    'Bearer x',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    TOKEN,
    `Basic ${TOKEN}`,
    `Basic ${Buffer.from(`admin:${TOKEN}`).toString('base64')}`,
    'Bearer',
    'x'.repeat(8000),
  ]) {
    const answer = await problem('/api/contacts', { authorization }, '/api/contacts')
    t.match(answer, { status: 401, wrong: undefined })
    t.equal(answer.authenticate, 'Bearer realm="tallenne", error="invalid_token"')
  }
  t.equal((await fetch(`${portal.url}/api/contacts?token=${TOKEN}`)).status, 401)
})

t.test('the scheme’s case and spaces do not matter', async (t) => {
  for (const authorization of [`bearer ${TOKEN}`, `BEARER   ${TOKEN}`]) {
    const response = await fetch(`${portal.url}/api/contacts`, { headers: { authorization } })
    t.equal(response.status, 200, authorization.slice(0, 10))
  }
})

t.test('a role that a route does not name is 403, and unknown paths are 404', async (t) => {
  for (const [path, documented] of ROUTES) {
    const answer = await problem(path, { authorization: 'Bearer agent' }, documented)
    t.match(answer, { status: 403, wrong: undefined, body: { code: 'forbidden' } }, path)
  }
  const unknown = await fetch(`${portal.url}/api/nothing`, {
    headers: { authorization: 'Bearer agent' },
  })
  t.equal(unknown.status, 404)
  t.match(await unknown.json(), { code: 'not_found', detail: /openapi\.json/ })
})

t.test('what tells nothing of callers is open', async (t) => {
  for (const path of ['/', '/openapi.json', '/healthz', '/readyz', '/metrics']) {
    t.equal((await fetch(`${portal.url}${path}`)).status, 200, path)
  }
})

t.test('every answer forbids to embed, to sniff and to keep it', async (t) => {
  for (const path of ['/', '/api/contacts', '/api/nothing', '/nothing', '/healthz']) {
    const { headers } = await portal.ask(path)
    t.match(
      Object.fromEntries(headers),
      {
        'cache-control': /no-store/,
        'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      },
      path,
    )
    t.equal(headers.get('server'), null)
    t.equal(headers.get('access-control-allow-origin'), null)
  }
})

t.test('a body and headers beyond the limits are refused', async (t) => {
  const large = await portal.ask('/api/contacts', { headers: { 'x-large': 'x'.repeat(20_000) } })
  t.equal(large.status, 431)
  const posted = await portal.ask('/api/contacts', { method: 'POST', body: 'x'.repeat(100_000) })
  t.ok(posted.status >= 400 && posted.status < 500)
})

t.test('the log has the route and the names of parameters, no values, ids or token', async (t) => {
  lines.length = 0
  const id = newId()
  await portal.ask('/api/contacts?caller=%2B12025550147&%2B12025550148=x')
  await portal.ask(`/api/recordings/${id}?lang=sv`)
  await portal.ask('/api/%2B12025550149')
  await fetch(`${portal.url}/api/contacts`, { headers: { authorization: 'Bearer wrong-token' } })
  await until(() => lines.length === 4)
  const entries = lines.map((line) => JSON.parse(line))
  t.match(entries, [
    { route: '/api/contacts', parameters: ['caller'], status: 400, identity: 'admin-token' },
    { route: '/api/recordings/:id', parameters: ['lang'], status: 404 },
    { route: 'none', status: 404 },
    { route: '/api/contacts', status: 401, identity: null },
  ])
  t.type(entries[0].ms, 'number')
  for (const secret of [TOKEN, 'wrong-token', '2025550', id]) {
    t.notOk(
      lines.some((line) => line.includes(secret)),
      secret,
    )
  }
})

t.test('requests are counted by route and status, and their bytes and seconds too', async (t) => {
  const count = 'tallenne_portal_requests_total{route="/api/service-lines",status_class="2xx"}'
  const before = (await portal.metric(count)) ?? 0
  await (await portal.ask('/api/service-lines')).text()
  await until(async () => (await portal.metric(count)) === before + 1)
  const bytes = await portal.metric('tallenne_portal_sent_bytes_total{route="/api/service-lines"}')
  t.ok((bytes ?? 0) > 300)
  const seconds = 'tallenne_portal_request_seconds_count{route="/api/service-lines"}'
  t.ok(((await portal.metric(seconds)) ?? 0) > 0)
})
