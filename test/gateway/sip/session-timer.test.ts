import t from 'tap'
import { agreeOnTimer, SessionTimer, timerHeaders } from '../../../gateway/sip/session-timer.ts'
import { ManualClock } from '../../manual-clock.ts'

const limits = { expiresS: 1800, minS: 90 }

function request(headers: Readonly<Record<string, string>>) {
  return { get: (name: string) => headers[name] }
}

t.test(
  'a request without Session-Expires from a peer that knows no timers gets none',
  async (t) => {
    const agreement = agreeOnTimer(request({ Supported: '100rel' }), limits)
    t.strictSame(agreement, { kind: 'none' })
    t.strictSame(timerHeaders(agreement), {})
  },
)

t.test('a peer that knows timers and asks for none has one to refresh', async (t) => {
  const agreement = agreeOnTimer(request({ Supported: '100rel, timer' }), limits)
  t.strictSame(timerHeaders(agreement), {
    'Session-Expires': '1800;refresher=uac',
    Require: 'timer',
  })
  const patient = request({ Supported: 'timer', 'Min-SE': '3600' })
  t.match(agreeOnTimer(patient, limits), { kind: 'agreed', expiresS: 3600 })
})

t.test('the peer refreshes where it names nobody', async (t) => {
  const agreement = agreeOnTimer(
    request({ 'Session-Expires': '1800', Supported: '100rel,timer', 'Min-SE': '90' }),
    limits,
  )
  t.strictSame(agreement, {
    kind: 'agreed',
    expiresS: 1800,
    refresher: 'uac',
    isKnownToPeer: true,
  })
  t.strictSame(timerHeaders(agreement), {
    'Session-Expires': '1800;refresher=uac',
    Require: 'timer',
  })
})

t.test('the refresher that the peer names is kept', async (t) => {
  const agreement = agreeOnTimer(
    request({ 'Session-Expires': '600;refresher=uas', Supported: 'timer' }),
    limits,
  )
  t.match(agreement, { expiresS: 600, refresher: 'uas' })
  t.strictSame(timerHeaders(agreement), { 'Session-Expires': '600;refresher=uas' })
})

t.test('a peer that knows no timers is refreshed by us and asked for nothing', async (t) => {
  const agreement = agreeOnTimer(request({ 'Session-Expires': '1800' }), limits)
  t.match(agreement, { refresher: 'uas', isKnownToPeer: false })
  t.strictSame(timerHeaders(agreement), { 'Session-Expires': '1800;refresher=uas' })
})

t.test('a longer interval is cut to ours, but never below the peer’s minimum', async (t) => {
  t.match(agreeOnTimer(request({ 'Session-Expires': '7200', Supported: 'timer' }), limits), {
    expiresS: 1800,
  })
  const headers = { 'Session-Expires': '7200', Supported: 'timer', 'Min-SE': '3600' }
  t.match(agreeOnTimer(request(headers), limits), { expiresS: 3600 })
})

t.test('an interval below our minimum is too short', async (t) => {
  t.strictSame(agreeOnTimer(request({ x: '60', Supported: 'timer' }), limits), {
    kind: 'too_short',
    minS: 90,
  })
})

t.test('what is no number is no timer', async (t) => {
  for (const value of ['', 'soon', '-5', '99999999999', ';refresher=uac']) {
    t.strictSame(agreeOnTimer(request({ 'Session-Expires': value }), limits), { kind: 'none' })
  }
})

function startTimer() {
  const clock = new ManualClock()
  const heard: string[] = []
  const timer = new SessionTimer({
    clock,
    probeEveryS: 900,
    events: {
      onRefreshDue: () => heard.push('refresh'),
      onExpired: () => heard.push('expired'),
      onProbeDue: () => heard.push('probe'),
    },
  })
  return { clock, heard, timer }
}

t.test('a session that the peer does not refresh expires 32 s before its end', async (t) => {
  const { clock, heard, timer } = startTimer()
  timer.restart({ kind: 'agreed', expiresS: 1800, refresher: 'uac', isKnownToPeer: true })
  clock.advance(1_767_000)
  t.strictSame(heard, [])
  clock.advance(1000)
  t.strictSame(heard, ['expired'])
  timer.stop()
  t.equal(clock.timers, 0)
})

t.test('a refresh begins the interval anew', async (t) => {
  const { clock, heard, timer } = startTimer()
  const agreement = { kind: 'agreed', expiresS: 90, refresher: 'uac', isKnownToPeer: true } as const
  timer.restart(agreement)
  clock.advance(59_000)
  timer.restart(agreement)
  clock.advance(59_000)
  t.strictSame(heard, [])
  timer.stop()
})

t.test('our turn to refresh comes before half of the interval', async (t) => {
  const { clock, heard, timer } = startTimer()
  timer.restart({ kind: 'agreed', expiresS: 1800, refresher: 'uas', isKnownToPeer: true })
  clock.advance(891_999)
  t.strictSame(heard, [])
  clock.advance(1)
  t.strictSame(heard, ['refresh'])
  timer.stop()
})

t.test('without a timer the peer is probed', async (t) => {
  const { clock, heard, timer } = startTimer()
  timer.restart({ kind: 'none' })
  clock.advance(1_800_000)
  t.strictSame(heard, ['probe', 'probe'])
  timer.stop()
})
