import { Registry } from 'prom-client'
import t from 'tap'
import { PortalMetrics } from '../../portal/portal-metrics.ts'

t.test('every reason for audio that cannot be served is counted from the start', async (t) => {
  const registry = new Registry()
  const { audioFailures } = new PortalMetrics(registry)
  const { values } = await audioFailures.get()
  t.strictSame(
    values.map(({ labels, value }) => [labels.reason, value]),
    [
      ['file_missing', 0],
      ['file_unreadable', 0],
      ['file_damaged', 0],
      ['size_differs', 0],
      ['identity_missing', 0],
      ['identity_wrong', 0],
    ],
  )
})
