import t from 'tap'
import { TapSummary } from '../../cli/tap-summary.ts'

function summarize(lines: readonly string[]) {
  const summary = new TapSummary()
  const told = lines.flatMap((line) => summary.read(line))
  return { told, counts: summary.counts, isWhole: summary.isWhole }
}

t.test('tests of a file are counted, their assertions are not', async (t) => {
  const found = summarize([
    'TAP version 14',
    '# Subtest: one',
    '    ok 1 - should be equal',
    '    1..1',
    'ok 1 - one # time=1ms',
    'ok 2 - two # SKIP no network',
    '1..2',
  ])
  t.strictSame(found, {
    told: [],
    counts: { passed: 1, failed: 0, skipped: 1 },
    isWhole: true,
  })
})

t.test('a failure is told with what explains it', async (t) => {
  const { told, counts } = summarize([
    '# Subtest: one',
    '    not ok 1 - should be equal',
    '      ---',
    '      diff: x',
    '      ...',
    '    1..1',
    'not ok 1 - one # time=1ms',
    '# Subtest: two',
    '    ok 1 - fine',
    'ok 2 - two # time=1ms',
    '1..2',
  ])
  t.strictSame(counts, { passed: 1, failed: 1, skipped: 0 })
  t.strictSame(told, [
    '    not ok 1 - should be equal',
    '      ---',
    '      diff: x',
    '      ...',
    '    1..1',
    'not ok 1 - one # time=1ms',
  ])
})

t.test('a stream that ends before its plan is not whole', async (t) => {
  t.notOk(summarize(['TAP version 14', 'ok 1 - one']).isWhole)
  t.notOk(summarize(['TAP version 14', '1..2', 'ok 1 - one']).isWhole)
  t.notOk(summarize([]).isWhole)
  t.strictSame(summarize(['ok 1 - one', 'Bail out! test/b']).told, ['Bail out! test/b'])
})
