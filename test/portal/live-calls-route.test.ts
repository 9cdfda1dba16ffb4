import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { createSilentLog } from '../../base/log.ts'
import { newId } from '../../base/uuid.ts'
import { GatewayClient } from '../../portal/gateway-client.ts'
import { addLiveCallsRoute } from '../../portal/live-calls-route.ts'

/** The route alone, before a gateway that answers as told. */
async function routeBefore(listener: RequestListener, timeoutMs = 5000) {
  const gateway = createServer(listener)
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const { port } = gateway.address() as AddressInfo
  const app = Fastify()
  const url = `http://127.0.0.1:${port}`
  const gatewayClient = new GatewayClient({ url, token: 'the-token', timeoutMs })
  const audit = { noteShown: async () => {} }
  addLiveCallsRoute(app, { gateway: gatewayClient, audit, log: createSilentLog() })
  return {
    ask: async () => {
      const answer = await app.inject('/calls')
      return { status: answer.statusCode, body: answer.json() }
    },
    close: async () => {
      await app.close()
      gateway.closeAllConnections()
      await new Promise((resolve) => gateway.close(resolve))
    },
  }
}

t.test('live calls are those of the gateway, asked with the token', async (t) => {
  const call = { contactId: newId(), callId: 'a@192.0.2.1', startedAt: '2026-01-15T08:30:00.000Z' }
  const asked: unknown[] = []
  const { ask, close } = await routeBefore((request, response) => {
    asked.push([request.method, request.url, request.headers.authorization])
    response.end(JSON.stringify({ items: [call] }))
  })
  t.teardown(close)
  t.same(await ask(), { status: 200, body: { items: [call] } })
  t.same(asked, [['GET', '/api/calls', 'Bearer the-token']])
})

t.test('a gateway that refuses, redirects, or answers with something else is 502', async (t) => {
  const answers: RequestListener[] = [
    (_, response) => response.writeHead(401).end(),
    (_, response) => response.writeHead(500).end('<html>'),
    (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    (_, response) => response.end('rubbish'),
    (_, response) => response.end('null'),
    (_, response) => response.end('{"items":{}}'),
    (_, response) => response.end(JSON.stringify({ items: ['x'.repeat(17 * 1_048_576)] })),
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{', () => response.destroy())
    },
  ]
  for (const [index, answer] of answers.entries()) {
    const { ask, close } = await routeBefore(answer)
    const { status, body } = await ask()
    await close()
    t.equal(status, 502, `answer ${index}`)
    t.match(body.code, /^gateway_(refused|unreachable)$/)
  }
})

t.test('a gateway that is not there is 502, and one that says nothing 504', async (t) => {
  const silent = await routeBefore(() => {}, 50)
  t.match(await silent.ask(), {
    status: 504,
    body: { code: 'gateway_unreachable', detail: /within 50 ms/ },
  })
  await silent.close()
  const gone = await routeBefore((request) => request.socket.destroy())
  t.match(await gone.ask(), { status: 502, body: { detail: /http\.gateway/ } })
  await gone.close()
})
