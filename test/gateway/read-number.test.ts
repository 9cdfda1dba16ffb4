import t from 'tap'
import { readNumber, withholdNumber } from '../../gateway/read-number.ts'

for (const [text, region, raw, e164] of [
  ['sip:+12025550147@example.com', 'FI', '+12025550147', '+12025550147'],
  ['tel:+1-202-555-0147', 'FI', '+1-202-555-0147', '+12025550147'],
  ['+99912345678', 'FI', '+99912345678', '+99912345678'],
  ['sip:2025550147@192.0.2.1', 'US', '2025550147', '+12025550147'],
  ['12025550147', 'US', '12025550147', '+12025550147'],
  ['2025550147', 'FI', '2025550147', null],
  ['0012025550147', 'FI', '0012025550147', '+12025550147'],
  ['sip:0401234567@192.0.2.1', 'FI', '0401234567', '+358401234567'],
  ['12025550147;noa=international', 'FI', '12025550147', '+12025550147'],
  ['tel:5550147;phone-context=+1202', 'FI', '5550147', '+12025550147'],
  ['sip:2000@platform.example', 'FI', '2000', null],
  ['2000', 'US', '2000', null],
  ['+12', 'FI', '+12', null],
  ['+0123456789', 'FI', '+0123456789', null],
  ['+1234567890123456', 'FI', '+1234567890123456', null],
  ['*30', 'FI', '*30', null],
  ['support', 'FI', 'support', null],
  ['0401234567', 'XX', '0401234567', null],
] as const) {
  t.test(`${text} in ${region} is ${e164 ?? 'no E.164 number'}`, async (t) => {
    t.same(readNumber(text, region), { raw, e164, display: e164 ?? raw, isWithheld: false })
  })
}

for (const text of [
  'sip:anonymous@anonymous.invalid',
  '"Anonymous" <sip:Anonymous@192.0.2.1>;tag=1',
  'sip:restricted@192.0.2.1',
  'sip:+12025550147@anonymous.invalid',
]) {
  t.test(`${text} is withheld`, async (t) => {
    t.match(readNumber(text, 'FI'), { e164: null, display: null, isWithheld: true })
  })
}

t.test('an address with an empty user part is withheld, one with none is nobody', async (t) => {
  t.same(readNumber('<sip:@192.0.2.1>', 'FI'), {
    raw: '<sip:@192.0.2.1>',
    e164: null,
    display: null,
    isWithheld: true,
  })
  t.same(readNumber('sip:192.0.2.1', 'FI'), {
    raw: 'sip:192.0.2.1',
    e164: null,
    display: null,
    isWithheld: false,
  })
  t.match(readNumber('sip:unavailable@unknown.invalid', 'FI'), { display: null, isWithheld: false })
  t.same(readNumber('  ', 'FI'), { raw: null, e164: null, display: null, isWithheld: false })
})

t.test('a number behind the name Anonymous is kept and not shown', async (t) => {
  const number = readNumber('"Anonymous" <sip:+12025550147@192.0.2.1>', 'FI')
  t.same(number, { raw: '+12025550147', e164: '+12025550147', display: null, isWithheld: true })
  t.same(withholdNumber(readNumber('+12025550147', 'FI')), number)
})

t.test('what is kept as received has a bound', async (t) => {
  t.equal(readNumber('x'.repeat(5000), 'FI').raw?.length, 255)
})
