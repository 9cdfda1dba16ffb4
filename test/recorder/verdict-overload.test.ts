import t from 'tap'
import { type ChannelFacts, giveVerdict } from '../../recorder/verdict.ts'

function verdictOf(latePackets: number, reasons: readonly ['engine_overload'] | readonly []) {
  const channel: ChannelFacts = {
    receivingMs: 60_000,
    placedPackets: 2445,
    latePackets,
    audibleMs: 30_000,
    lostMs: 0,
    isMixed: false,
    unauthenticatedRun: 0,
    expiredPackets: 0,
    outlivedPackets: 0,
  }
  return giveVerdict({
    channels: [channel, channel],
    longestLossMs: 0,
    durationMs: 60_000,
    callDurationMs: 60_000,
    sinkFailure: undefined,
    hasFile: true,
    reasons,
  })
}

t.test('a call whose packets an overloaded engine read too late is partial', async (t) => {
  t.same(verdictOf(555, ['engine_overload']), {
    verdict: 'partial',
    reasons: ['engine_overload', 'media_lost'],
  })
})

t.test('an overload that cost a call nothing leaves it complete', async (t) => {
  t.same(verdictOf(0, ['engine_overload']), { verdict: 'complete', reasons: ['engine_overload'] })
})

t.test('packets that trail after the call’s end cost it nothing', async (t) => {
  t.same(verdictOf(30, []), { verdict: 'complete', reasons: [] })
})
