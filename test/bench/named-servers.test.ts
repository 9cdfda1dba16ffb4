import t from 'tap'
import { namedServers } from '../../bench/named-servers.ts'

t.test('servers are named whole or not at all', async (t) => {
  t.same(namedServers({}), { freeswitch: undefined, drachtio: undefined })
  t.same(
    namedServers({
      TALLENNE_TEST_FREESWITCH: '127.0.0.1:8021:secret',
      TALLENNE_TEST_DRACHTIO: '127.0.0.1:9022:secret:5060',
    }),
    {
      freeswitch: { host: '127.0.0.1', port: 8021, password: 'secret' },
      drachtio: { host: '127.0.0.1', port: 9022, secret: 'secret', sipPort: 5060 },
    },
  )
  t.same(
    namedServers({
      TALLENNE_TEST_FREESWITCH: '127.0.0.1:8021',
      TALLENNE_TEST_DRACHTIO: '127.0.0.1:9022:secret',
    }),
    { freeswitch: undefined, drachtio: undefined },
  )
})
