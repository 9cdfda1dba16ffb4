import t from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { probeDecoders } from '../../../recorder/decoding/probe-decoders.ts'

t.test('each codec is tried with a sample, and found to be decoded', async (t) => {
  const findings = await probeDecoders(['G729', 'GSM', 'ILBC', 'AMR', 'AMR-WB'], new SystemClock())
  t.same(findings, [
    { codec: 'G729', problem: undefined },
    { codec: 'GSM', problem: undefined },
    { codec: 'ILBC', problem: undefined },
    { codec: 'AMR', problem: undefined },
    { codec: 'AMR-WB', problem: undefined },
  ])
})
