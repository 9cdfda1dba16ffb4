import fc from 'fast-check'
import t from 'tap'
import { contentRangeOf, lengthOf, selectRanges } from '../../../portal/audio/byte-ranges.ts'

function select(header: string | undefined, length = 10_000) {
  const selection = selectRanges(header, length)
  return selection.kind === 'ranges'
    ? selection.ranges.map(({ first, last }) => `${first}-${last}`).join(' ')
    : selection.kind
}

t.test('a range is first and last byte, open, or a suffix', (t) => {
  t.equal(select('bytes=0-0'), '0-0')
  t.equal(select('bytes=0-499'), '0-499')
  t.equal(select('bytes=500-999'), '500-999')
  t.equal(select('bytes=9500-'), '9500-9999')
  t.equal(select('bytes=-500'), '9500-9999')
  t.equal(select('bytes=9999-9999'), '9999-9999')
  t.equal(select('Bytes=0-0'), '0-0')
  t.end()
})

t.test('what reaches beyond the end is cut there', (t) => {
  t.equal(select('bytes=9000-10000'), '9000-9999')
  t.equal(select('bytes=0-99999999999999999999999999'), '0-9999')
  t.equal(select('bytes=-10001'), '0-9999')
  t.equal(select('bytes=-99999999999999999999999999'), '0-9999')
  t.end()
})

t.test('what begins beyond the end cannot be satisfied', (t) => {
  for (const header of ['bytes=10000-', 'bytes=10000-10001', 'bytes=-0', 'bytes=20000-,30000-']) {
    t.equal(select(header), 'unsatisfiable', header)
  }
  for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-1']) {
    t.equal(select(header, 0), 'unsatisfiable', `${header} of nothing`)
  }
  t.end()
})

t.test('a header that is malformed or of another unit is ignored', (t) => {
  for (const header of [
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=1-2-3',
    'bytes=5-4',
    'bytes=0-1,5-4',
    'bytes=+0-1',
    'bytes=0 - 1',
    'bytes=0x0-0x1',
    'bytes 0-1',
    'items=0-1',
    'bytes=0-1;2-3',
    'bytes=--1',
  ]) {
    t.equal(select(header), 'whole', String(header))
  }
  t.end()
})

t.test('several ranges stay apart, in order, and those out of reach are left out', (t) => {
  t.equal(select('bytes=0-0,-1'), '0-0 9999-9999')
  t.equal(select('bytes= 5000-5009 ,, 0-9 ,'), '0-9 5000-5009')
  t.equal(select('bytes=0-9,10000-'), '0-9')
  t.end()
})

t.test('ranges that overlap or nearly touch become one', (t) => {
  t.equal(select('bytes=0-99,50-199'), '0-199')
  t.equal(select('bytes=0-99,100-199'), '0-199')
  t.equal(select('bytes=0-99,228-300'), '0-300')
  t.equal(select('bytes=0-99,229-300'), '0-99 229-300')
  t.equal(select('bytes=0-500,100-200,450-600'), '0-600')
  t.end()
})

t.test('more than 16 ranges are ignored', (t) => {
  const ranges = (count: number) =>
    `bytes=${Array.from({ length: count }, (_, index) => `${index * 500}-${index * 500}`).join(',')}`
  t.equal(select(ranges(16)).split(' ').length, 16)
  t.equal(select(ranges(17)), 'whole')
  t.end()
})

t.test('whatever the header, ranges lie within the file, in order, and apart', (t) => {
  const position = fc.oneof(fc.nat(30), fc.bigInt({ min: 0n, max: 10n ** 40n }))
  const spec = fc.oneof(
    fc.tuple(position, position).map(([first, last]) => `${first}-${last}`),
    position.map((first) => `${first}-`),
    position.map((suffix) => `-${suffix}`),
    fc.string(),
  )
  const header = fc.oneof(
    fc.string(),
    fc.array(spec, { maxLength: 20 }).map((specs) => `bytes=${specs.join(',')}`),
  )
  fc.assert(
    fc.property(header, fc.nat(40), (text, length) => {
      const selection = selectRanges(text, length)
      if (selection.kind !== 'ranges') return
      t.ok(selection.ranges.length > 0)
      let before = -1
      for (const { first, last } of selection.ranges) {
        if (!(first > before && last >= first && last < length)) t.fail(`${text} of ${length}`)
        before = last
      }
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('Content-Range names the bytes and the length', (t) => {
  t.equal(contentRangeOf({ first: 0, last: 99 }, 1234), 'bytes 0-99/1234')
  t.equal(lengthOf({ first: 0, last: 99 }), 100)
  t.end()
})
