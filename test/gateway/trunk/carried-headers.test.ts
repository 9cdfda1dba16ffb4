import t from 'tap'
import { carriedHeaders, carriedResponseHeaders } from '../../../gateway/trunk/carried-headers.ts'
import { isTargetFault, refusalFor } from '../../../gateway/trunk/failover.ts'

const received: Record<string, string> = {
  'P-Asserted-Identity': '<sip:+12025550147@carrier.example>',
  Diversion: '<sip:+12025550100@192.0.2.1>;reason=unconditional',
  'History-Info': '<sip:+12025550100@192.0.2.1:5080>;index=1,<sip:2000@[2001:db8::7]>;index=1.1',
  'X-Campaign': 'spring',
  'User-Agent': 'carrier 1.0',
  'Record-Route': '<sip:192.0.2.9;lr>',
}
const hosts = { own: '203.0.113.9:5060', names: new Set(['pbx-7.platform.example']) }

function carry(extra: Record<string, string>, isTrusted: boolean) {
  const all = { ...received, ...extra }
  const extensionNames = ['X-Campaign', 'X bad']
  return carriedHeaders((name) => all[name], { isTrusted, extensionNames, hosts })
}

t.test('who called whom goes through, the far side’s topology does not', async (t) => {
  t.same(carry({}, false), {
    Diversion: '<sip:+12025550100@203.0.113.9:5060>;reason=unconditional',
    'History-Info':
      '<sip:+12025550100@203.0.113.9:5060>;index=1,<sip:2000@203.0.113.9:5060>;index=1.1',
    'P-Asserted-Identity': received['P-Asserted-Identity'],
    'X-Campaign': 'spring',
  })
})

t.test('what a diverting party keeps for itself goes to trusted targets only', async (t) => {
  const kept = { Diversion: '<sip:+12025550190@a.example>;privacy=full' }
  t.equal(carry(kept, false)['Diversion'], undefined)
  t.equal(carry(kept, true)['Diversion'], kept.Diversion)
  t.ok(carry({ Diversion: '<sip:+12025550190@a.example>;privacy=off' }, false)['Diversion'])
  t.equal(carry({ Privacy: 'history' }, false)['History-Info'], undefined)
  t.equal(carry({ Privacy: 'header;id' }, false)['Diversion'], undefined)
  t.equal(carry({ Privacy: 'header' }, true)['History-Info']?.includes('index=1.1'), true)
  const entry = '<sip:+12025550190@a.example?Privacy=history>;index=1'
  t.equal(carry({ 'History-Info': entry }, false)['History-Info'], undefined)
  const remote = '<sip:+12025550147@a.example>;party=calling;privacy=full'
  t.equal(carry({ 'Remote-Party-ID': remote }, false)['Remote-Party-ID'], undefined)
})

t.test('the caller’s side sees neither the platform’s machines nor whom it keeps', async (t) => {
  const answer: Record<string, string> = {
    'P-Asserted-Identity': '"Agent" <sip:2000@PBX-7.platform.example:5070>',
    Warning: '399 10.1.2.3:5060 "busy <sip:10.1.2.3>", 301 [2001:db8::1] "no"',
    Server: 'pbx',
  }
  t.same(
    carriedResponseHeaders((name) => answer[name], hosts),
    {
      'P-Asserted-Identity': '"Agent" <sip:2000@203.0.113.9:5060>',
      Warning: '399 203.0.113.9:5060 "busy <sip:10.1.2.3>", 301 203.0.113.9:5060 "no"',
    },
  )
  const kept: Record<string, string> = { ...answer, Privacy: 'id' }
  t.equal(carriedResponseHeaders((name) => kept[name], hosts)['P-Asserted-Identity'], undefined)
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
    for (const status of [401, 407, 408, 482, 483, 500, 502, 503, 504])
      t.equal(isTargetFault(status), true, `${status}`)
    for (const status of [404, 480, 486, 487, 488, 603])
      t.equal(isTargetFault(status), false, `${status}`)
  },
)

t.test('a call that no target took is refused so that the peer tries elsewhere', async (t) => {
  t.equal(refusalFor(undefined), 503)
  t.equal(refusalFor(408), 503)
  t.equal(refusalFor(407), 503)
  t.equal(refusalFor(486), 486)
  t.equal(refusalFor(500), 500)
})
