import t from 'tap'
import { formatAddress, localUrl, reachableHost } from '../../base/address.ts'

t.test('an address of IPv6 stands in brackets', async (t) => {
  t.equal(formatAddress({ host: '2001:db8::1', port: 5060 }), '[2001:db8::1]:5060')
  t.equal(formatAddress({ host: '192.0.2.10', port: 5060 }), '192.0.2.10:5060')
  t.equal(formatAddress({ host: 'sbc.example.com', port: 5060 }), 'sbc.example.com:5060')
})

t.test('what listens everywhere is reached on loopback', async (t) => {
  t.equal(reachableHost('0.0.0.0'), '127.0.0.1')
  t.equal(reachableHost('::'), '::1')
  t.equal(localUrl({ host: '::', port: 8080 }), 'http://[::1]:8080')
  t.equal(localUrl({ host: '192.0.2.10', port: 8081 }), 'http://192.0.2.10:8081')
})
