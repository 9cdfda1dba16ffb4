import t from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { SipConnection } from '../../../gateway/sip/sip-connection.ts'
import { SipServer } from '../../../gateway/sip-server/sip-server.ts'

const clock = new SystemClock()
const log = createSilentLog()

t.test('a wrong secret is told in a sentence that says where and what to do', async (t) => {
  const server = new SipServer({
    listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    clock,
    log,
  })
  const { admin } = await server.start()
  t.teardown(() => server.close())
  const connection = new SipConnection({ address: { ...admin, secret: 'wrong' }, clock, log })
  t.teardown(() => connection.close())
  await t.rejects(connection.start(), {
    code: 'sip_secret_refused',
    message: new RegExp(`127\\.0\\.0\\.1:${admin.port} refuses the secret`),
  })
  t.equal(connection.isConnected, false)
})

t.test('the right secret connects, and a server that goes away is noticed', async (t) => {
  const server = new SipServer({
    listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    clock,
    log,
  })
  const { admin } = await server.start()
  const connection = new SipConnection({ address: admin, clock, log })
  await connection.start()
  t.equal(connection.isConnected, true)
  connection.close()
  connection.close()
  t.equal(connection.isConnected, false)
  await server.close()
})
