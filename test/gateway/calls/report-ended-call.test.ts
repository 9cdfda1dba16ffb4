import { Writable } from 'node:stream'
import pino from 'pino'
import t from 'tap'
import { reportEndedCall } from '../../../gateway/calls/report-ended-call.ts'
import type { SipRequest } from '../../../gateway/sip/sip-surface.ts'
import { StreamTally } from '../../../recorder/stream-tally.ts'
import { ManualClock } from '../../manual-clock.ts'

const FACTS = {
  direction: 'inbound',
  caller: { display: '+12025550147', raw: '+12025550147', e164: '+12025550147', isWithheld: false },
  serviceNumber: { display: '+12025550100', raw: '100', e164: '+12025550100' },
  serviceLine: 'asiakastuki',
  agent: '+12025550191',
} as never

function line(changes: Partial<Parameters<typeof reportEndedCall>[1]>): Record<string, unknown> {
  let written = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk)
      done()
    },
  })
  const clock = new ManualClock()
  reportEndedCall(pino({ base: null }, stream), {
    source: { capture: 'siprec', peer: 'sbc-1', plane: 'direct' },
    request: {
      source_address: '192.0.2.7',
      source_port: 5060,
      protocol: 'tcp',
    } as unknown as SipRequest,
    contact: { facts: FACTS, startedAtMs: clock.epochMs() - 60_000 },
    recordingId: 'r1',
    endReason: 'bye',
    endedAtMs: clock.epochMs() - 250,
    setupMs: 4.26,
    recording: undefined,
    clock,
    ...changes,
  })
  return JSON.parse(written)
}

t.test('a call without a recording has a whole line, and no number is in it', async (t) => {
  const told = line({ setupMs: undefined })
  t.match(told, {
    ...{ msg: 'call ended', capture: 'siprec', peer: 'sbc-1', plane: 'direct', transport: 'tcp' },
    ...{ peerAddress: '192.0.2.7:5060', caller: '…47', serviceNumber: '…00', agent: '…91' },
    ...{ endReason: 'bye', setupMs: null, sessionMs: 59_750, verdictAfterMs: 250, verdict: null },
    legs: [],
  })
  t.notMatch(JSON.stringify(told), '2025550')
})

t.test('a recorded call tells of each leg what came of its packets', async (t) => {
  const tally = Object.assign(new StreamTally(), {
    ...{ placed: 2950, late: 3, duplicate: 1, lostPackets: 40, rtcp: 12, jitterMs: 3.1234 },
    concealedMs: 800.125,
  })
  const streams = [tally.snapshot({ streamId: '7', role: 'caller', codec: 'PCMA' })]
  const outcome = {
    recordingId: 'r1',
    ...({ verdict: 'complete', reasons: ['media_lost', 'paused'] } as const),
    ...{ durationMs: 59_020, callDurationMs: 59_000, startedAtMs: 0, lostMs: 800 },
    lossMap: [{ channel: 0, fromMs: 10, lengthMs: 800 } as const],
    pauses: [
      { by: 'api', reason: null, fromMs: 1000, toMs: 4000 } as const,
      { by: 'dtmf', reason: null, fromMs: 58_020, toMs: null } as const,
    ],
    ...{ bytes: 90_000, sha256: 'abc', engine: 1, streams },
  }
  t.match(line({ recording: { outcome, file: '2026/11/26/r1.opus' } }), {
    ...{ verdict: 'complete', reasons: ['media_lost', 'paused'], engine: 1, setupMs: 4.3 },
    ...{ callDurationMs: 59_000, durationMs: 59_020, lostMs: 800, losses: 1 },
    ...{ pauses: 2, pausedMs: 4000, bytes: 90_000, file: '2026/11/26/r1.opus' },
    legs: [
      {
        ...{ leg: '7', role: 'caller', codec: 'PCMA', placed: 2950, late: 3, duplicate: 1 },
        ...{ lost: 40, jitterMs: 3.1, concealedMs: 800, other: { rtcp: 12 } },
      },
    ],
  })
})

t.test('a dialled number in a target is masked, and an extension is not', async (t) => {
  t.match(line({ target: 'sip:+12025550100@192.0.2.20' }), { target: 'sip:…00@192.0.2.20' })
  t.match(line({ target: 'sip:+12025550100%3Bnpdi@192.0.2.20' }), {
    target: 'sip:…00%3Bnpdi@192.0.2.20',
  })
  t.match(line({ target: 'sip:4001@192.0.2.20' }), { target: 'sip:4001@192.0.2.20' })
  t.match(line({ target: 'sip:192.0.2.20' }), { target: 'sip:192.0.2.20' })
  t.match(line({ target: null }), { target: null })
})
