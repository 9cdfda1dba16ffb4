import t from 'tap'
import { TapSummary } from '../../cli/tap-summary.ts'

function summarize(lines: readonly string[]) {
  const summary = new TapSummary()
  const told = lines.flatMap((line) => summary.read(line))
  return { told, counts: summary.counts }
}

t.test('tests of a file are counted, its assertions are not', async (t) => {
  const { told, counts } = summarize([
    'TAP version 14',
    '# Subtest: build/test/a.test.js',
    '    # Subtest: one',
    '        ok 1 - should be equal',
    '        1..1',
    '    ok 1 - one # time=1ms',
    '    ok 2 - two # SKIP no network',
    '    1..2',
    'ok 1 - build/test/a.test.js # time=1234.5ms',
    '1..1',
  ])
  t.strictSame(counts, { passed: 1, failed: 0, skipped: 1 })
  t.strictSame(told, ['passed  test/a.test.ts  1.2 s'])
})

t.test('a failure is told with what explains it', async (t) => {
  const { told, counts } = summarize([
    '# Subtest: build/test/a.test.js',
    '    # Subtest: one',
    '        not ok 1 - should be equal',
    '          ---',
    '          diff: x',
    '          ...',
    '        1..1',
    '    not ok 1 - one # time=1ms',
    '    # Subtest: two',
    '        ok 1 - fine',
    '    ok 2 - two # time=1ms',
    'not ok 1 - build/test/a.test.js # time=10ms',
  ])
  t.strictSame(counts, { passed: 1, failed: 1, skipped: 0 })
  t.strictSame(told, [
    '        not ok 1 - should be equal',
    '          ---',
    '          diff: x',
    '          ...',
    '        1..1',
    '    not ok 1 - one # time=1ms',
    'FAILED  test/a.test.ts  0.0 s',
  ])
})

t.test('a file that fails although no test of it does counts as one failure', async (t) => {
  const { counts } = summarize([
    '# Subtest: build/test/a.test.js',
    '    ok 1 - one # time=1ms',
    'not ok 1 - build/test/a.test.js # time=30000ms',
    'Bail out! test/b',
  ])
  t.strictSame(counts, { passed: 1, failed: 1, skipped: 0 })
})
