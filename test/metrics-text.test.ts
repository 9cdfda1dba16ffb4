import t from 'tap'
import { metricValue, readMetrics } from './metrics-text.ts'

const TEXT = `# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{peer="a",reason="bye"} 10
calls_total{peer="a b\\"}",reason="late"} 2
calls_total_more 7
# HELP took_seconds How long.
# TYPE took_seconds histogram
took_seconds_bucket{le="+Inf",peer="a"} 3
took_seconds_sum{peer="a"} 0.25
took_seconds_count{peer="a"} 3
up 1
`

t.test('a value is that of its own series, whole', async (t) => {
  t.equal(metricValue(TEXT, 'up'), 1)
  t.equal(metricValue(TEXT, 'calls_total{peer="a",reason="bye"}'), 10)
  t.equal(metricValue(TEXT, 'calls_total{reason="bye",peer="a"}'), 10)
  t.equal(metricValue(TEXT, 'calls_total{peer="a b\\"}"}'), 2)
  t.equal(metricValue(TEXT, 'took_seconds_sum'), 0.25)
})

t.test('labels that a series does not name are summed over', async (t) => {
  t.equal(metricValue(TEXT, 'calls_total'), 12)
})

t.test('what is not served has no value, and what is no series is refused', async (t) => {
  t.equal(metricValue(TEXT, 'calls'), undefined)
  t.equal(metricValue(TEXT, 'calls_total{peer="b"}'), undefined)
  t.throws(() => metricValue(TEXT, 'calls total'), { message: 'no series: calls total' })
})

t.test('a metric has its type, its help and the labels of its samples', async (t) => {
  t.same(
    [...readMetrics(TEXT)].map(([name, { type, help, labels }]) => [name, type, help, [...labels]]),
    [
      ['calls_total', 'counter', 'Calls.', ['peer', 'reason']],
      ['took_seconds', 'histogram', 'How long.', ['le', 'peer']],
      ['calls_total_more', '', '', []],
      ['up', '', '', []],
    ],
  )
})
