import t from 'tap'
import { carriedHeaders } from '../../../gateway/trunk/carried-headers.ts'
import { isTargetFault, refusalFor } from '../../../gateway/trunk/failover.ts'

const received: Record<string, string> = {
  'P-Asserted-Identity': '<sip:+12025550147@192.0.2.1>',
  Diversion: '<sip:+12025550100@192.0.2.1>;reason=unconditional',
  'History-Info': '<sip:+12025550100@192.0.2.1>;index=1',
  'X-Campaign': 'spring',
  'User-Agent': 'carrier 1.0',
  'Record-Route': '<sip:192.0.2.9;lr>',
}

function carry(extra: Record<string, string>, isTrusted: boolean) {
  const all = { ...received, ...extra }
  return carriedHeaders((name) => all[name], { isTrusted, extensionNames: ['X-Campaign', 'X bad'] })
}

t.test('who called whom goes through, the far side’s topology does not', async (t) => {
  t.same(carry({}, false), {
    Diversion: received['Diversion'],
    'History-Info': received['History-Info'],
    'P-Asserted-Identity': received['P-Asserted-Identity'],
    'X-Campaign': 'spring',
  })
})

t.test('a caller who asks for privacy is asserted to trusted targets only', async (t) => {
  t.equal(carry({ Privacy: 'id' }, false)['P-Asserted-Identity'], undefined)
  t.equal(carry({ Privacy: 'id' }, true)['P-Asserted-Identity'], received['P-Asserted-Identity'])
  t.equal(carry({ Privacy: 'id' }, false)['Privacy'], 'id')
  t.equal(carry({ Privacy: 'none' }, false)['P-Asserted-Identity'], received['P-Asserted-Identity'])
})

t.test(
  'a server’s trouble or silence tries the next target, a subscriber’s answer does not',
  async (t) => {
    for (const status of [408, 500, 502, 503, 504])
      t.equal(isTargetFault(status), true, `${status}`)
    for (const status of [404, 480, 486, 487, 488, 603])
      t.equal(isTargetFault(status), false, `${status}`)
  },
)

t.test('a call that no target took is refused so that the peer tries elsewhere', async (t) => {
  t.equal(refusalFor(undefined), 503)
  t.equal(refusalFor(408), 503)
  t.equal(refusalFor(486), 486)
  t.equal(refusalFor(500), 500)
})
