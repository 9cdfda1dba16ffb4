import { Registry } from 'prom-client'
import t from 'tap'
import { CallMetrics } from '../../gateway/call-metrics.ts'
import type { CallSource } from '../../gateway/calls/call-events.ts'
import { MediaMetrics } from '../../gateway/media-metrics.ts'
import { StreamTally } from '../../recorder/stream-tally.ts'
import { metricValue } from '../metrics-text.ts'

const SBC: CallSource = { capture: 'siprec', peer: 'sbc', plane: 'direct' }
const ROUTE: CallSource = { capture: 'trunk', peer: 'support', plane: 'direct' }

function leg(counts: Partial<StreamTally>) {
  const tally = Object.assign(new StreamTally(), counts)
  return tally.snapshot({ streamId: '1', role: 'caller', codec: 'PCMA' })
}

t.test('calls are counted by who sent them, and those who have not called with 0', async (t) => {
  const registry = new Registry()
  const metrics = new CallMetrics(registry, { sources: [SBC, ROUTE], serviceLines: ['tuki'] })
  metrics.arrived(SBC)
  metrics.answered(SBC, 4)
  metrics.answered(ROUTE, 12_000)
  metrics.ended(SBC, 'bye')
  const told = await registry.metrics()
  t.equal(metricValue(told, 'tallenne_calls_total{capture="siprec",peer="sbc"}'), 1)
  t.equal(metricValue(told, 'tallenne_calls_total{capture="trunk",peer="support"}'), 0)
  t.equal(
    metricValue(told, 'tallenne_calls_ended_total{capture="siprec",peer="sbc",reason="bye"}'),
    1,
  )
  t.equal(metricValue(told, 'tallenne_invite_to_200_seconds_bucket{le="0.005"}'), 1)
  t.equal(metricValue(told, 'tallenne_invite_to_200_seconds_count'), 1, 'ringing is not our delay')
  t.equal(metricValue(told, 'tallenne_trunk_answer_seconds_bucket{le="20"}'), 1)
  t.equal(metricValue(told, 'tallenne_recordings_total{line="tuki",verdict="partial"}'), 0)
})

t.test(
  'a verdict is counted with its reasons and with the quality of legs that were heard',
  async (t) => {
    const registry = new Registry()
    const metrics = new CallMetrics(registry, { sources: [], serviceLines: [] })
    const outcome = {
      recordingId: 'r',
      ...({ verdict: 'partial', reasons: ['media_lost', 'leg_silent'] } as const),
      ...{ durationMs: 9000, callDurationMs: 9000, startedAtMs: 0, lostMs: 500, lossMap: [] },
      ...{ bytes: 20_000, sha256: 'x' },
      streams: [leg({ placed: 90, late: 2, lostPackets: 8, jitterMs: 4 }), leg({})],
    }
    metrics.judged(outcome, 'tuki')
    const told = await registry.metrics()
    t.equal(metricValue(told, 'tallenne_recordings_total{line="tuki",verdict="partial"}'), 1)
    t.equal(
      metricValue(told, 'tallenne_recording_reasons_total{verdict="partial",reason="media_lost"}'),
      1,
    )
    t.equal(
      metricValue(told, 'tallenne_recording_reasons_total{verdict="partial",reason="leg_silent"}'),
      1,
    )
    t.equal(metricValue(told, 'tallenne_recorded_seconds_total'), 9)
    t.equal(metricValue(told, 'tallenne_lost_seconds_total'), 0.5)
    t.equal(metricValue(told, 'tallenne_leg_loss_ratio_bucket{le="0.05"}'), 0)
    t.equal(metricValue(told, 'tallenne_leg_loss_ratio_bucket{le="0.1"}'), 1, 'ten of a hundred')
    t.equal(metricValue(told, 'tallenne_leg_jitter_seconds_count'), 1, 'the silent leg has none')
  },
)

t.test('what an engine counts goes on after another has taken its place', async (t) => {
  const registry = new Registry()
  const metrics = new MediaMetrics(registry)
  metrics.reported(0, { counters: { packets_placed: 10, packets_lost: 1, concealed_ms: 60 } })
  metrics.reported(0, { counters: { packets_placed: 15, packets_lost: 1, concealed_ms: 100 } })
  metrics.reported(0, { counters: { packets_placed: 4, packets_relayed: 3, ssrc_changes: 1 } })
  metrics.reported(1, { counters: { packets_placed: 1, packets_unrelayed: 2 } })
  const told = await registry.metrics()
  t.equal(metricValue(told, 'tallenne_rtp_packets_total{fate="placed"}'), 20)
  t.equal(metricValue(told, 'tallenne_rtp_lost_packets_total'), 1)
  t.equal(metricValue(told, 'tallenne_concealed_seconds_total'), 0.1)
  t.equal(metricValue(told, 'tallenne_rtp_relayed_packets_total{outcome="sent"}'), 3)
  t.equal(metricValue(told, 'tallenne_rtp_relayed_packets_total{outcome="unsent"}'), 2)
  t.equal(metricValue(told, 'tallenne_engine_events_total{event="ssrc_changes"}'), 1)
  t.notMatch(told, 'fate="lost"', 'what never came has no fate')
})
