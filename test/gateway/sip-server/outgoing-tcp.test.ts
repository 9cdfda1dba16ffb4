import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { localAddressToward } from '../../../gateway/sip-server/local-address.ts'
import { Waiters } from '../../waiters.ts'
import { messageOf, shapeOf } from './raw-client.ts'
import { headerOf, SDP, sipResponse } from './sip-text.ts'
import { startServer } from './test-server.ts'

/** A platform that accepts connections; what came on them, and a way to answer. */
async function listen(t: Test) {
  const received: string[] = []
  const sockets: Socket[] = []
  const waiters = new Waiters()
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      received.push(chunk.toString('latin1'))
      waiters.wake()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: address !== null && typeof address !== 'string' ? address.port : 0,
    sockets,
    stop: () => server.close(),
    next: async (): Promise<string> => {
      while (received.length === 0) await waiters.next()
      return received.shift() ?? ''
    },
  }
}

t.test('a call over TCP stays on one connection', async (t) => {
  const { client, server, tcpPort } = await startServer(t, { methods: [] })
  const platform = await listen(t)
  const target = `sip:platform@127.0.0.1:${platform.port};transport=tcp`
  client.send(`sip||\r\nINVITE ${target} SIP/2.0\r\n\r\n${SDP}`)
  const sent = await client.next()
  t.match(
    shapeOf(sent),
    `|OK|application|${messageOf(sent).length}|tcp|127.0.0.1|${platform.port}|`,
  )
  const invite = await platform.next()
  t.equal(invite, messageOf(sent))
  t.match(headerOf(invite, 'Via'), `SIP/2.0/TCP 127.0.0.1:${tcpPort};`)
  t.equal(headerOf(invite, 'Contact'), `<sip:127.0.0.1:${tcpPort};transport=tcp>`)
  const [socket] = platform.sockets
  const headers = [`Contact: <${target}>`]
  socket?.write(sipResponse(invite, { status: 200, reason: 'OK', toTag: 'x', headers }))
  const id = (await client.next()).split('|')[9]
  client.send(`sip||${id}\r\nACK ${target} SIP/2.0\r\n\r\n`)
  t.match(await platform.next(), /^ACK /)
  await client.next()
  client.send(`sip||${id}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`)
  const bye = await platform.next()
  t.match(bye, /^BYE /)
  socket?.write(sipResponse(bye, { status: 200, reason: 'OK' }))
  await client.next()
  t.match(messageOf(await client.next()), /^SIP\/2\.0 200 OK/)
  t.equal(platform.sockets.length, 1)
  t.equal(server.counters.connections, 1)
})

t.test('a port where nobody listens is a failed request at once', async (t) => {
  const { client } = await startServer(t, { methods: [] })
  const platform = await listen(t)
  platform.stop()
  client.send(`sip||\r\nOPTIONS sip:127.0.0.1:${platform.port};transport=tcp SIP/2.0\r\n\r\n`)
  t.match(shapeOf(await client.next()), '|OK|')
  const failed = await client.next()
  t.match(shapeOf(failed), '|network|0|tcp||0|TIME|UUID||')
  t.match(messageOf(failed), /^SIP\/2\.0 503 Service Unavailable\r\n/)
})

t.test('a request whose connection is closed on it has failed', async (t) => {
  const { client } = await startServer(t, { methods: [] })
  const platform = await listen(t)
  client.send(`sip||\r\nOPTIONS sip:127.0.0.1:${platform.port};transport=tcp SIP/2.0\r\n\r\n`)
  await client.next()
  await platform.next()
  platform.sockets[0]?.destroy()
  t.match(messageOf(await client.next()), /^SIP\/2\.0 503 Service Unavailable\r\n/)
})

t.test('a socket that is bound to all addresses names the one that its peer sees', async (t) => {
  t.equal(localAddressToward('127.0.0.1', '0.0.0.0'), '127.0.0.1')
  t.equal(localAddressToward('198.51.100.7', '192.0.2.1'), '192.0.2.1')
  t.match(localAddressToward('198.51.100.7', '0.0.0.0'), /^\d+\.\d+\.\d+\.\d+$/)
  t.not(localAddressToward('not-an-address', '0.0.0.0'), '0.0.0.0')
})
