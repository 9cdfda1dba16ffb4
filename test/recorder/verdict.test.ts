import t from 'tap'
import { LossMap } from '../../recorder/loss-map.ts'
import { type ChannelFacts, giveVerdict, type RecordingFacts } from '../../recorder/verdict.ts'

function channel(fields: Partial<ChannelFacts> = {}): ChannelFacts {
  return {
    receivingMs: 60_000,
    placedPackets: 3000,
    latePackets: 0,
    audibleMs: 30_000,
    lostMs: 0,
    isMixed: false,
    unauthenticatedRun: 0,
    expiredPackets: 0,
    outlivedPackets: 0,
    ...fields,
  }
}

function verdict(fields: Partial<RecordingFacts> = {}): string {
  const { verdict: word, reasons } = giveVerdict({
    channels: [channel(), channel()],
    longestLossMs: 0,
    durationMs: 60_000,
    callDurationMs: 60_000,
    sinkFailure: undefined,
    hasFile: true,
    reasons: [],
    ...fields,
  })
  return [word, ...reasons].join(' ')
}

const NOTHING = channel({ placedPackets: 0, audibleMs: 0 })

t.test('a call that lacks nothing is complete', async (t) => {
  t.equal(verdict(), 'complete')
  t.equal(verdict({ reasons: ['session_expired'] }), 'complete session_expired')
})

t.test('loss marks a recording, and from 5 % or 2 s on makes it partial', async (t) => {
  const lost = (lostMs: number) => verdict({ channels: [channel({ lostMs }), channel()] })
  t.equal(lost(599), 'complete')
  t.equal(lost(600), 'complete media_lost')
  t.equal(lost(2999), 'complete media_lost')
  t.equal(lost(3000), 'partial media_lost')
  t.equal(verdict({ longestLossMs: 199 }), 'complete')
  t.equal(verdict({ longestLossMs: 200 }), 'complete media_lost')
  t.equal(verdict({ longestLossMs: 2000 }), 'partial media_lost')
})

t.test(
  'a leg without a packet makes a recording partial, unless nobody waited for one',
  async (t) => {
    const leg = (fields: Partial<ChannelFacts>) =>
      verdict({ channels: [channel(), channel({ ...NOTHING, ...fields })] })
    t.equal(leg({}), 'partial leg_silent')
    t.equal(leg({ receivingMs: 2999 }), 'complete leg_silent')
    t.equal(leg({ receivingMs: 0 }), 'complete leg_silent', 'a call of one stream')
    t.equal(leg({ placedPackets: 3000 }), 'complete leg_silent', 'a muted telephone')
  },
)

t.test('no sound at all is silent', async (t) => {
  t.equal(verdict({ channels: [NOTHING, NOTHING], hasFile: false }), 'silent no_media')
  t.equal(verdict({ channels: [channel({ audibleMs: 0 }), channel({ audibleMs: 0 })] }), 'silent')
})

t.test('what could not be written failed, what was cut off is partial', async (t) => {
  t.equal(verdict({ sinkFailure: 'disk_full', hasFile: false }), 'failed disk_full')
  t.equal(verdict({ sinkFailure: 'write_failed' }), 'partial write_failed')
  t.equal(verdict({ reasons: ['engine_failed'], hasFile: false }), 'failed engine_failed')
  t.equal(verdict({ reasons: ['engine_failed'] }), 'partial engine_failed')
  t.equal(verdict({ reasons: ['crash_recovered'] }), 'partial crash_recovered')
})

t.test('file and call must agree within 400 ms', async (t) => {
  t.equal(verdict({ durationMs: 60_400 }), 'complete')
  t.equal(verdict({ durationMs: 60_401 }), 'partial length_mismatch')
  t.equal(verdict({ durationMs: 59_599 }), 'partial length_mismatch')
})

t.test('a stream of both parties is told', async (t) => {
  const mixed = channel({ isMixed: true })
  t.equal(verdict({ channels: [mixed, mixed] }), 'complete mixed_stream')
})

t.test('lost spans that touch are one, and channels stay apart', async (t) => {
  const losses = new LossMap()
  losses.add(0, 8000, 160)
  losses.add(0, 8160, 160)
  losses.add(1, 8000, 80)
  losses.add(0, 80_000, 800)
  t.equal(losses.lostMs, 150)
  t.equal(losses.longestMs, 100)
  t.same(losses.spans(0), [
    { channel: 0, fromMs: 1000, lengthMs: 40 },
    { channel: 1, fromMs: 1000, lengthMs: 10 },
    { channel: 0, fromMs: 10_000, lengthMs: 100 },
  ])
})

t.test('a loss map keeps the longest thousand, and counts all', async (t) => {
  const losses = new LossMap()
  for (let index = 0; index < 10_000; index++) losses.add(0, index * 1600, 80)
  losses.add(1, 99_000, 8000)
  const spans = losses.spans(0)
  t.equal(spans.length, 1000)
  t.ok(spans.some(({ channel: side, lengthMs }) => side === 1 && lengthMs === 1000))
  t.equal(losses.lostMs, 10_000 * 10 + 1000)
})
