import t from 'tap'
import { readSipAddress, splitAddresses } from '../../gateway/sip-address.ts'

function read(text: string) {
  const { displayName, scheme, user, host, parameters } = readSipAddress(text)
  return [displayName, scheme, user, host, Object.fromEntries(parameters)]
}

for (const [text, displayName, scheme, user, host, parameters] of [
  ['sip:+12025550147@example.com', '', 'sip', '+12025550147', 'example.com', {}],
  [
    '<SIPS:2000@[2001:db8::1]:5061;lr>;tag=1',
    '',
    'sips',
    '2000',
    '2001:db8::1',
    { lr: '', tag: '1' },
  ],
  ['"Smith, \\"Al\\" <x>" <sip:a@b>', 'Smith, "Al" <x>', 'sip', 'a', 'b', {}],
  ['Al Smith <sip:a:secret@b', 'Al Smith', 'sip', 'a', 'b', {}],
  [
    'tel:+1-202-555-0147;phone-context=example',
    '',
    'tel',
    '+1-202-555-0147',
    '',
    { 'phone-context': 'example' },
  ],
  [
    'sip:2025550147;noa=international@b:5060;user=phone',
    '',
    'sip',
    '2025550147',
    'b',
    { noa: 'international', user: 'phone' },
  ],
  ['+12025550147@sbc.example', '', '', '+12025550147', 'sbc.example', {}],
  ['2025550147  ', '', '', '2025550147', '', {}],
  ['sip:198.51.100.5:5060;transport=tcp', '', 'sip', '', '198.51.100.5', { transport: 'tcp' }],
  ['198.51.100.5', '', '', '', '198.51.100.5', {}],
  ['sip:@gateway.example', '', 'sip', '', 'gateway.example', {}],
  ['sip:%2B12025550147@b?Subject=x', '', 'sip', '+12025550147', 'b', { subject: 'x' }],
  ['', '', '', '', '', {}],
] as const) {
  t.test(`the address ${text || 'of no text'} is taken apart`, async (t) => {
    t.same(read(text), [displayName, scheme, user, host, parameters])
  })
}

t.test('an address that is too long is not cut within a character', async (t) => {
  const { user } = readSipAddress(`tel:${'1'.repeat(2043)}😀`)
  t.equal(user, '1'.repeat(2043))
  t.equal(encodeURIComponent(user), user)
})

t.test('several addresses of a header are divided at commas that divide', async (t) => {
  t.same(splitAddresses(['"A, B" <sip:a@x;p=1,2>, <tel:+12025550147>', 'sip:c@x', '', ' , ']), [
    '"A, B" <sip:a@x;p=1,2>',
    '<tel:+12025550147>',
    'sip:c@x',
  ])
  t.equal(splitAddresses([`${'a,'.repeat(5000)}`]).length, 32)
})
