import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { newId } from '../../base/uuid.ts'
import { startTestPortal } from './portal.ts'

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly body: unknown
}

const asked: Asked[] = []
let answer: (response: ServerResponse) => void = () => {}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

/** A node that answers as it is told. */
const node = createServer((request, response) => {
  void readBody(request).then((body) => {
    asked.push({ method: request.method, url: request.url, body })
    answer(response)
  })
})
await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve))
const { port } = node.address() as AddressInfo
const portal = await startTestPortal({ gatewayUrl: `http://127.0.0.1:${port}` })
t.teardown(async () => {
  await portal.close()
  node.closeAllConnections()
  await new Promise((resolve) => node.close(resolve))
})

function says(status: number, body: object): void {
  answer = (response) => response.writeHead(status).end(JSON.stringify(body))
}

async function post(path: string, body?: object) {
  const response = await portal.ask(path, {
    method: 'POST',
    ...(body && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const type = response.headers.get('content-type') ?? ''
  const said: unknown = await response.json()
  return { status: response.status, type, body: said }
}

t.test('an order goes to the node with who asks, and its answer comes back', async (t) => {
  const items = [{ contactId: newId(), isPaused: true }]
  says(200, { items })
  t.match(await post('/api/calls/a%2Fb@192.0.2.1/pause', { reason: 'card-data', actor: 'x' }), {
    status: 200,
    type: /^application\/json/,
    body: { items },
  })
  t.match(await post('/api/calls/c1/resume'), { status: 200 })
  t.same(asked, [
    {
      method: 'POST',
      url: '/api/calls/a%2Fb%40192.0.2.1/pause',
      body: { reason: 'card-data', actor: 'admin-token' },
    },
    { method: 'POST', url: '/api/calls/c1/resume', body: { actor: 'admin-token' } },
  ])
})

t.test('what the node refuses is refused in its words', async (t) => {
  for (const status of [400, 404, 409, 503]) {
    says(status, { code: 'some_code', status })
    t.match(await post('/api/calls/c1/stop'), {
      status,
      type: /^application\/problem\+json/,
      body: { code: 'some_code' },
    })
  }
  says(401, { code: 'unauthorized' })
  t.match(await post('/api/calls/c1/stop'), { status: 502, body: { code: 'gateway_refused' } })
  answer = (response) => response.destroy()
  t.match(await post('/api/calls/c1/stop'), { status: 502, body: { code: 'gateway_unreachable' } })
})

t.test('a contact that has ended takes notes all the same', async (t) => {
  const { contactId } = await portal.addRecording(Buffer.from('OggS'))
  says(404, { code: 'call_unknown' })
  const annotate = (notes: object) => post(`/api/calls/${contactId}/annotate`, { notes })
  t.match(await annotate({ ticket: 'T-1', queue: 'billing' }), { status: 200, body: { items: [] } })
  t.match(await annotate({ ticket: 'T-2', queue: null }), { status: 200 })
  const contact: { notes: unknown } = JSON.parse(
    await (await portal.ask(`/api/contacts/${contactId}`)).text(),
  )
  t.same(contact.notes, { ticket: 'T-2' })
  t.match(await post(`/api/calls/${newId()}/annotate`, { notes: { ticket: 'T-1' } }), {
    status: 404,
    body: { code: 'call_unknown' },
  })
  const many = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`n${at}`, 'x']))
  t.match(await annotate(many), { status: 200 })
  const full: { notes: object } = JSON.parse(
    await (await portal.ask(`/api/contacts/${contactId}`)).text(),
  )
  t.equal(Object.keys(full.notes).length, 63, 'as many as are kept, but for the one taken away')
  t.match(full.notes, { ticket: 'T-2' })
})
