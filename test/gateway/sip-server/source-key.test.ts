import fc from 'fast-check'
import t from 'tap'
import { sourceKey } from '../../../gateway/sip-server/source-key.ts'

t.test('IPv4 addresses are sources of their own', async (t) => {
  t.equal(sourceKey('192.0.2.7'), '192.0.2.7')
})

t.test('all addresses of one IPv6 network are one source, however they are written', async (t) => {
  const same = [
    '2001:db8:1:2::',
    '2001:DB8:1:2::7',
    '2001:db8:0001:2:a:b:c:d',
    '2001:db8:1:2:0:0:0:1',
    '2001:db8:1:2::1%eth0',
  ]
  for (const address of same) t.equal(sourceKey(address), '2001:db8:1:2::/64', address)
  t.equal(sourceKey('::1'), '0:0:0:0::/64')
  t.equal(sourceKey('fe80::1'), 'fe80:0:0:0::/64')
  t.equal(sourceKey('2001:db8::5:0:0:0:1'), '2001:db8:0:5::/64')
})

t.test('whatever an address may be, its key does not depend on its last half', async () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16))
  const half = fc.array(group, { minLength: 4, maxLength: 4 }).map((groups) => groups.join(':'))
  fc.assert(
    fc.property(half, half, half, (network, one, other) => {
      return sourceKey(`${network}:${one}`) === sourceKey(`${network}:${other}`)
    }),
  )
})
