import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { newId } from '../../../base/uuid.ts'
import { verifyAudit } from '../../../storage/audit/verify-audit.ts'
import { until } from '../../until.ts'
import { startTestPortal } from '../portal.ts'

const answers = new Map<string, { status: number; body: unknown }>()
const gateway = createServer((request, response) => {
  const { status, body } = answers.get(request.url ?? '') ?? { status: 404, body: {} }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
})
await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
const { port } = gateway.address() as AddressInfo
const portal = await startTestPortal({ gatewayUrl: `http://127.0.0.1:${port}` })
t.teardown(async () => {
  await portal.close()
  gateway.closeAllConnections()
  gateway.close()
})

interface Row {
  readonly action: string
  readonly actor_name: string
  readonly contact_id: string | null
  readonly recording_id: string | null
  readonly details: string
}

async function rows(action?: string) {
  const found: Row[] = await portal.pool.query('SELECT * FROM audit_trail ORDER BY sequence')
  return found
    .filter((row) => action === undefined || row.action === action)
    .map((row) => ({ ...row, details: JSON.parse(row.details) }))
}

/** Waits for rows that nobody's answer waits for. */
function written(action: string, count: number) {
  return until(async () => {
    const found = await rows(action)
    return found.length >= count && found
  })
}

t.test('who comes in is written once, and who shows a wrong token', async (t) => {
  await portal.ask('/api/service-lines')
  await portal.ask('/api/service-lines')
  t.match(await written('sign_in', 1), [
    { actor_name: 'admin-token', details: { address: '127.0.0.1', role: 'admin' } },
  ])
  for (let count = 0; count < 3; count++) {
    await fetch(`${portal.url}/api/contacts`, { headers: { authorization: 'Bearer wrong' } })
  }
  await fetch(`${portal.url}/api/contacts`)
  t.match(await written('sign_in_failed', 1), [{ details: { address: '127.0.0.1' } }])
  t.equal((await rows('sign_in')).length, 1)
  t.equal((await rows('sign_in_failed')).length, 1)
})

t.test('a search stands with its filters and without its numbers', async (t) => {
  await portal.addRecording(Buffer.from('OggS'))
  const query = new URLSearchParams({
    caller: '+12025550147',
    serviceNumber: '+12025550100',
    agent: 'agent-7',
    from: '2026-01-01T00:00:00Z',
  })
  t.equal((await portal.ask(`/api/contacts?${query}`)).status, 200)
  t.equal((await portal.ask(`/api/contacts?${query}`)).status, 200)
  const [search, ...others] = await rows('search')
  t.same(others, [], 'the same within a minute is told once')
  t.match(search?.details, {
    agent: 'agent-7',
    from: '2026-01-01T00:00:00.000Z',
    serviceNumber: '+12025550100',
    shown: 1,
    limit: 50,
    caller: /^n-[\w-]{20}$/,
  })
  t.notMatch(JSON.stringify(await rows()), /0147/)
  await portal.ask(`/api/contacts?caller=%2B1%20202-555-0147&limit=7`)
  t.equal((await rows('search'))[1]?.details.caller, search?.details.caller, 'one number, one name')
})

t.test('what is read stands by its id, and what is not there does not', async (t) => {
  const { contactId, recordingId } = await portal.addRecording(Buffer.from('OggS'))
  await portal.ask(`/api/contacts/${contactId}`)
  await portal.ask(`/api/contacts/${contactId}/metadata`)
  await portal.ask(`/api/recordings/${recordingId}`)
  await portal.ask(`/api/contacts/${newId()}`)
  t.match(await rows('contact_read'), [{ contact_id: contactId }])
  t.match(await rows('metadata_read'), [{ contact_id: contactId }])
  t.match(await rows('recording_read'), [{ contact_id: contactId, recording_id: recordingId }])
})

t.test('orders for calls stand with who gave them, for each call', async (t) => {
  const [one, two] = [newId(), newId()]
  const recordingId = newId()
  const items = [
    { contactId: one, recordingId },
    { contactId: two, recordingId: null },
  ]
  answers.set('/api/calls/a%40b/pause', { status: 200, body: { items } })
  answers.set('/api/calls/a%40b/stop', { status: 503, body: { code: 'not_confirmed' } })
  answers.set('/api/calls/a%40b/resume', { status: 404, body: {} })
  const order = (action: string, body: object) =>
    portal.ask(`/api/calls/a%40b/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await order('pause', { reason: 'card-data' })
  await order('stop', {})
  await order('resume', {})
  t.match(await rows('call_paused'), [
    { contact_id: one, recording_id: recordingId, details: { reason: 'card-data' } },
    { contact_id: two, recording_id: null, actor_name: 'admin-token' },
  ])
  t.match(await rows('call_stopped'), [{ details: { call: 'a@b', isConfirmed: false } }])
  t.same(await rows('call_resumed'), [])
})

t.test('notes of an ended call stand by their names alone', async (t) => {
  const { contactId } = await portal.addRecording(Buffer.from('OggS'))
  await portal.ask(`/api/calls/${contactId}/annotate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ notes: { topic: 'a private matter' } }),
  })
  t.match(await rows('call_annotated'), [{ contact_id: contactId, details: { notes: ['topic'] } }])
})

t.test('a listening stands before its audio, and its seconds at its end', async (t) => {
  const { contactId, recordingId } = await portal.addRecording(Buffer.from('OggS'.repeat(100)))
  const path = `/api/recordings/${recordingId}/audio`
  await portal.ask(path, { method: 'HEAD' })
  t.same(await rows('listen_started'), [])
  for (const range of ['bytes=0-99', 'bytes=100-', 'bytes=9999-']) {
    await (await portal.ask(path, { headers: { range } })).arrayBuffer()
  }
  t.match(await rows('listen_started'), [{ contact_id: contactId, recording_id: recordingId }])
  await portal.endListenings()
  const [listened] = await rows('listened')
  t.match(listened, { recording_id: recordingId, details: { requests: 3, formats: ['ogg'] } })
  t.same(listened?.details.seconds, [[0, 60]])
  await portal.pool.query('RENAME TABLE audit_trail TO elsewhere')
  const refused = await portal.ask(path)
  t.equal(refused.status, 503)
  t.match(await refused.json(), { code: 'audit_unavailable' })
  await portal.pool.query('RENAME TABLE elsewhere TO audit_trail')
})

t.test('live calls are told of once a minute', async (t) => {
  answers.set('/api/calls', { status: 200, body: { items: [] } })
  for (let count = 0; count < 5; count++) await portal.ask('/api/calls')
  t.equal((await rows('live_calls_read')).length, 1)
})

t.test('nothing is shown that cannot be written down', async (t) => {
  const { contactId } = await portal.addRecording(Buffer.from('OggS'))
  await portal.pool.query('RENAME TABLE audit_trail TO elsewhere')
  const answer = await portal.ask(`/api/contacts/${contactId}`)
  t.equal(answer.status, 503)
  t.equal(answer.headers.get('retry-after'), '5')
  t.match(await answer.json(), { code: 'audit_unavailable' })
  answers.set('/api/calls/x/pause', { status: 200, body: { items: [{ contactId }] } })
  const pause = await portal.ask('/api/calls/x/pause', { method: 'POST' })
  t.equal(pause.status, 200, 'an order waits for no database')
  t.equal(await portal.metric('tallenne_audit_waiting'), 1)
  await portal.pool.query('RENAME TABLE elsewhere TO audit_trail')
  t.equal((await portal.ask(`/api/contacts/${contactId}`)).status, 200)
  await written('call_paused', 3)
})

t.test('the trail that came of it is whole', async (t) => {
  t.equal((await verifyAudit(portal.pool, [])).broken, undefined)
  const count = await portal.metric('tallenne_audit_events_total{action="search"}')
  t.equal(count, 2)
})
