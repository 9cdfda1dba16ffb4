import fastify from 'fastify'
import t from 'tap'
import { addMediaServersRoute } from '../../../../gateway/media/freeswitch/media-servers-route.ts'
import { startMediaNode } from './media-node.ts'

t.test('servers are told of, drained and taken back, by whoever has the token', async (t) => {
  const { pool } = await startMediaNode(t)
  const app = fastify()
  t.teardown(() => app.close())
  addMediaServersRoute(app, { pool, token: () => 'secret' })
  const headers = { authorization: 'Bearer secret' }
  const ask = async (method: 'GET' | 'POST', url: string) =>
    (await app.inject({ method, url, headers })).json()

  t.equal((await app.inject('/api/media-servers')).statusCode, 401)
  t.equal(
    (await app.inject({ method: 'POST', url: '/api/media-servers/one/drain' })).statusCode,
    401,
  )
  const found = await ask('GET', '/api/media-servers')
  t.match(found, { items: [{ name: 'one', state: 'up', takesCalls: true, endpoints: 0 }] })
  t.notMatch(JSON.stringify(found), 'password')
  t.match(await ask('POST', '/api/media-servers/one/drain'), {
    isDraining: true,
    takesCalls: false,
  })
  t.match(await ask('POST', '/api/media-servers/one/undrain'), {
    isDraining: false,
    takesCalls: true,
  })
  t.match(await ask('POST', '/api/media-servers/two/drain'), { code: 'not_found' })
})
