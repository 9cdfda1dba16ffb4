import { Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { findColumns, parseColumnNames } from '../../../portal/completeness/call-list-columns.ts'
import { readCsv } from '../../../portal/completeness/csv-records.ts'
import { decoderOf, decodeText } from '../../../portal/completeness/decode-text.ts'
import { CsvError, listTexts } from '../../../portal/completeness/list-texts.ts'
import { readInstant } from '../../../portal/completeness/read-instant.ts'
import { readListedCall } from '../../../portal/completeness/read-listed-call.ts'

async function* pieces(text: string, size = text.length || 1) {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size)
}

async function records(text: string, size?: number) {
  const found = []
  for await (const { line, fields, expected } of readCsv(pieces(text, size))) {
    found.push(expected === null ? [line, ...fields] : [line, expected])
  }
  return found
}

const SAMPLE = '\uFEFFa;b;c\r\n1;"x;""y""\nz";3\r\n\r\n4; 5 ;\n'
const READ = [
  [1, 'a', 'b', 'c'],
  [2, '1', 'x;"y"\nz', '3'],
  [5, '4', '5', ''],
]

t.test('records are read with their lines, wherever pieces are cut', async (t) => {
  for (let size = 1; size <= SAMPLE.length; size++) {
    t.strictSame(await records(SAMPLE, size), READ, `pieces of ${size}`)
  }
  t.strictSame(await records('a\tb\tc,d\n1\t2\t3,4'), [
    [1, 'a', 'b', 'c,d'],
    [2, '1', '2', '3,4'],
  ])
  t.strictSame(await records(''), [])
})

t.test('text is decoded wherever its bytes are cut', async (t) => {
  for (const [encoding, bytes] of [
    ['utf-8', Buffer.from('Määrä 中')],
    ['utf-16le', Buffer.from('Määrä 中', 'utf16le')],
    ['gb18030', Buffer.from('4da84272a884', 'hex')],
  ] as const) {
    const whole = new TextDecoder(encoding).decode(bytes)
    for (let size = 1; size <= bytes.length; size++) {
      const decoder = decoderOf(encoding)
      t.ok(decoder)
      if (decoder === undefined) continue
      let text = ''
      const cut = Readable.from(
        Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
          bytes.subarray(n * size, (n + 1) * size),
        ),
      )
      for await (const piece of decodeText(cut, decoder)) text += piece
      t.equal(text, whole, `${encoding} in pieces of ${size}`)
    }
  }
  t.equal(decoderOf('klingon'), undefined)
})

t.test('the texts of a list know their line and their headings', async (t) => {
  const found = []
  const list = 'Start Time,ANI\n2026-01-31T08:00:00Z,"+1"\n\n2026-01-31T09:00:00Z\n'
  for await (const row of listTexts(readCsv(pieces(list)), new Map())) {
    if (row.kind === 'spoilt') continue
    found.push([row.line, row.texts, row.columnOf('startedAt'), row.columnOf('callId')])
  }
  t.strictSame(found, [
    [2, { startedAt: '2026-01-31T08:00:00Z', caller: '+1' }, 'Start Time', 'callId'],
    [4, { startedAt: '2026-01-31T09:00:00Z', caller: '' }, 'Start Time', 'callId'],
  ])
})

t.test(
  'a spoilt line of a list is told with its column, and spoilt headings end the list',
  async (t) => {
    const rows = []
    const list = 'start,ani,dnis\n2026-01-31T08:00:00Z,"+1,2\n2026-01-31T09:00:00Z,+1,2\n'
    for await (const row of listTexts(readCsv(pieces(list)), new Map())) rows.push(row)
    t.match(rows, [
      { kind: 'spoilt', mistake: { line: 2, column: 'ani', found: '+1,2', expected: QUOTED } },
      { kind: 'call', line: 3 },
    ])
    const headless = listTexts(readCsv(pieces('start,"ani\n1,2\n')), new Map())
    await t.rejects(headless.next(), new CsvError(1, `expected ${QUOTED}`))
  },
)

const QUOTED = 'a field whose quotes end, with those within it doubled'
const LONG = '4'.repeat(1000)
const SHORT = 'a line of at most 65536 characters'

for (const [what, list, expected] of [
  [
    'a quote without an end',
    'a,b\n1,"2\n3,4\n5,6\n',
    [
      [2, QUOTED],
      [3, '3', '4'],
      [4, '5', '6'],
    ],
  ],
  [
    'a quote that ends in the middle of a later field',
    'a,b\n1,"2\n3,"4"\n5,6\n',
    [
      [2, QUOTED],
      [3, '3', '4'],
      [4, '5', '6'],
    ],
  ],
  [
    'a quote that ends beyond what a record may have',
    `a,b\n1,"2\n${`3,${LONG}\n`.repeat(70)}5,"6"\n`,
    [[2, QUOTED], ...Array.from({ length: 70 }, (_, n) => [n + 3, '3', LONG]), [73, '5', '6']],
  ],
  [
    'a line that is too long',
    `a,b\n1,${'x'.repeat(70_000)}\r\n3,4\n`,
    [
      [2, SHORT],
      [3, '3', '4'],
    ],
  ],
  ['a last line that is too long', `a,b\n1,"${'x'.repeat(200_000)}`, [[2, SHORT]]],
  ['a quote within a field', 'a,b\n5" pipe,2\n', [[2, '5" pipe', '2']]],
] as const) {
  t.test(`${what} spoils its own line alone`, async (t) => {
    for (const size of [list.length, 65_536, ...(list.length < 100 ? [1, 2, 3] : [])]) {
      t.strictSame(await records(list, size), [[1, 'a', 'b'], ...expected], `pieces of ${size}`)
    }
  })
}

t.test('every text is a list', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.integer({ min: 1, max: 9 }), async (text, size) => {
      t.strictSame(await records(text, size), await records(text))
    }),
  )
})

t.test('columns are found by their headings or by what was asked for', async (t) => {
  const headings = ['Start Time', 'ANI', 'Called_Number', 'Own']
  t.strictSame(
    [...findColumns(headings, new Map())],
    [
      ['startedAt', 0],
      ['caller', 1],
      ['serviceNumber', 2],
    ],
  )
  t.equal(findColumns(headings, parseColumnNames(['reference=own'])).get('reference'), 3)
  t.throws(() => findColumns(headings, parseColumnNames(['callId=X'])), /no column "X"/)
  t.throws(() => findColumns(['start'], new Map()), /needs a column for startedAt and one for any/)
  t.throws(() => parseColumnNames(['what=X']), /no column: expected FIELD=HEADING/)
})

const timeZone = 'Europe/Helsinki'
for (const [text, format, expected] of [
  ['2026-01-31T08:00:00Z', undefined, '2026-01-31T08:00:00.000Z'],
  ['2026-01-31T08:00:00.5+02:00', undefined, '2026-01-31T06:00:00.500Z'],
  ['2026-01-31 10:00:01', undefined, '2026-01-31T08:00:01.000Z'],
  ['2026-07-31T10:00', undefined, '2026-07-31T07:00:00.000Z'],
  ['31.1.2026 klo 8.05', undefined, '2026-01-31T06:05:00.000Z'],
  ['1/31/2026 8:00:00', 'MM/dd/yyyy HH:mm:ss', '2026-01-31T06:00:00.000Z'],
  ['1769839200', 'epoch', '2026-01-31T06:00:00.000Z'],
  ['1769839200123', 'epochMs', '2026-01-31T06:00:00.123Z'],
  ['2026-03-29 03:30:00', undefined, '2026-03-29T01:30:00.000Z'],
  ['2026-10-25 03:30:00', undefined, '2026-10-25T00:30:00.000Z twice'],
  ['2026-02-30 08:00:00', undefined, undefined],
  ['31/01/2026 08:00', undefined, undefined],
  ['2026-01-31T25:00:00Z', undefined, undefined],
  ['', undefined, undefined],
  ['0001-01-01 08:00:00', undefined, undefined],
  [`2026-01-31T08:00:00.${'0'.repeat(60)}Z`, undefined, undefined],
] as const) {
  t.test(`${text || 'nothing'} is ${expected ?? 'no moment'}`, async (t) => {
    const read = readInstant(text, { timeZone, format })
    const shown = read && new Date(read.epochMs).toISOString() + (read.isAmbiguous ? ' twice' : '')
    t.equal(shown, expected)
  })
}

const reading = {
  timeZone,
  format: undefined,
  region: 'US',
  serviceLineOf: (e164: string | null) => e164 ?? 'rest',
  latestMs: Date.UTC(2026, 5, 1),
}

t.test('a call is read with its numbers in E.164', async (t) => {
  const outcome = readListedCall(
    {
      startedAt: '2026-01-31T08:00:00Z',
      caller: '(202) 555-0147',
      serviceNumber: 'sip:+12025550100@192.0.2.1',
      durationS: '1:02:03',
      answered: 'Yes',
    },
    reading,
  )
  t.match(outcome, {
    kind: 'call',
    call: {
      reference: null,
      caller: '(202) 555-0147',
      callerE164: '+12025550147',
      serviceNumberE164: '+12025550100',
      serviceLine: '+12025550100',
      durationS: 3723,
      wasAnswered: true,
    },
  })
})

for (const [field, texts, expected] of [
  ['startedAt', { startedAt: 'soon', caller: '1' }, /a time as ISO 8601/],
  ['startedAt', { startedAt: '2026-06-01T00:00:01Z', caller: '1' }, /a time that has been/],
  [
    'reference',
    { startedAt: '2026-01-31T08:00:00Z', reference: 'r'.repeat(256) },
    /at most 255 characters/,
  ],
  [
    'callId',
    { startedAt: '2026-01-31T08:00:00Z', callId: 'c'.repeat(513) },
    /at most 512 characters/,
  ],
  [
    'caller',
    { startedAt: '2026-01-31T08:00:00Z', caller: '1'.repeat(256), reference: 'r' },
    /at most 255 characters/,
  ],
  [
    'serviceNumber',
    { startedAt: '2026-01-31T08:00:00Z', serviceNumber: `sip:${'1'.repeat(256)}@192.0.2.1` },
    /at most 255 characters/,
  ],
  ['durationS', { startedAt: '2026-01-31T08:00:00Z', caller: '1', durationS: 'long' }, /seconds/],
  ['answered', { startedAt: '2026-01-31T08:00:00Z', caller: '1', answered: 'perhaps' }, /yes, no/],
  ['reference', { startedAt: '2026-01-31T08:00:00Z', caller: 'anonymous' }, /to know the call by/],
] as const) {
  t.test(`a call with a wrong ${field} is told`, async (t) => {
    t.match(readListedCall(texts, reading), { kind: 'wrong', mistake: { field, expected } })
  })
}

for (const caller of [
  '+1 (202) 555-0147',
  '202.555.0147',
  '12025550147',
  "'+12025550147",
  'tel:+1-202-555-0147',
  'sip:+12025550147@192.0.2.1;user=phone',
  'sip:%2B12025550147@192.0.2.1',
  '"Caller" <sip:+12025550147@192.0.2.1>',
]) {
  t.test(`${caller} is a number in E.164`, async (t) => {
    const outcome = readListedCall({ startedAt: '2026-01-31T08:00:00Z', caller }, reading)
    t.match(outcome, { kind: 'call', call: { callerE164: '+12025550147' } })
  })
}

for (const [region, caller, expected] of [
  ['FI', '12025550147', '+12025550147'],
  ['FI', '0012025550147', '+12025550147'],
  ['FI', '2025550147', null],
  ['FI', '4711', null],
] as const) {
  t.test(`${caller} in ${region} is ${expected ?? 'no E.164'}`, async (t) => {
    const texts = { startedAt: '2026-01-31T08:00:00Z', caller }
    const outcome = readListedCall(texts, { ...reading, region })
    t.match(outcome, { kind: 'call', call: { caller, callerE164: expected } })
  })
}
