import t from 'tap'
import { InviteClientTransaction } from '../../../gateway/sip-server/client-transaction-invite.ts'
import { NonInviteClientTransaction } from '../../../gateway/sip-server/client-transaction-non-invite.ts'
import { InviteServerTransaction } from '../../../gateway/sip-server/server-transaction-invite.ts'
import { NonInviteServerTransaction } from '../../../gateway/sip-server/server-transaction-non-invite.ts'
import { ManualClock } from '../../manual-clock.ts'

interface Happened {
  readonly atMs: number
  readonly what: string
}

/** A clock and a diary of what a transaction does. */
function diary() {
  const clock = new ManualClock()
  const happened: Happened[] = []
  const note = (what: string) => happened.push({ atMs: clock.monotonicMs(), what })
  return {
    clock,
    /** When things of that name happened, milliseconds. */
    timesOf: (what: string) => happened.filter((one) => one.what === what).map(({ atMs }) => atMs),
    happened: () => happened.map(({ what }) => what),
    events: {
      send: (text: string) => note(text),
      onRetransmitted: () => {},
      onAckMissing: () => note('ack missing'),
      onResponse: ({ status }: { readonly status: number }) => note(`response ${status}`),
      onTimedOut: () => note('timed out'),
      onEnded: () => note('ended'),
      ackFor: ({ status }: { readonly status: number }) => `ack ${status}`,
    },
  }
}

const G = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]

t.test('a success to INVITE goes out again until its ACK, over datagrams', async (t) => {
  const { clock, events, timesOf } = diary()
  const server = new InviteServerTransaction({ clock, isReliable: false, events })
  server.respond(180, 'ringing')
  server.absorb()
  t.same(timesOf('ringing'), [0, 0], 'a repeated INVITE brings the last provisional response')
  server.respond(200, 'ok')
  server.absorb()
  clock.advance(1_600)
  t.same(timesOf('ok'), [0, 500, 1_500])
  t.equal(server.acknowledge(), true)
  t.equal(server.acknowledge(), false)
  clock.advance(40_000)
  t.same(timesOf('ok'), [0, 500, 1_500])
  t.same(timesOf('ack missing'), [])
  t.same(timesOf('ended'), [32_000], 'timer L')
  t.equal(clock.timers, 0)
})

t.test('a success that nobody acknowledges is given up after 64·T1', async (t) => {
  const { clock, events, timesOf } = diary()
  const server = new InviteServerTransaction({ clock, isReliable: false, events })
  t.equal(server.respond(200, 'ok'), true)
  t.equal(server.respond(486, 'busy'), false, 'only one final response')
  clock.advance(60_000)
  t.same(timesOf('ok'), G)
  t.same(timesOf('ack missing'), [32_000])
  t.same(timesOf('ended'), [32_000])
  t.equal(clock.timers, 0)
})

t.test('a refusal goes out again until its ACK, which is absorbed for T4', async (t) => {
  const { clock, events, timesOf } = diary()
  const server = new InviteServerTransaction({ clock, isReliable: false, events })
  server.respond(486, 'busy')
  clock.advance(600)
  server.absorb()
  t.same(timesOf('busy'), [0, 500, 600])
  server.confirm()
  server.confirm()
  server.absorb()
  clock.advance(10_000)
  t.same(timesOf('busy'), [0, 500, 600])
  t.same(timesOf('ended'), [5_600], 'timer I')
})

t.test('over a stream a server sends each response once', async (t) => {
  for (const status of [200, 486]) {
    const { clock, events, timesOf } = diary()
    const server = new InviteServerTransaction({ clock, isReliable: true, events })
    server.respond(status, 'final')
    clock.advance(60_000)
    t.same(timesOf('final'), [0])
    t.same(timesOf('ended'), [32_000])
    t.same(timesOf('ack missing'), status === 200 ? [32_000] : [])
  }
  const { clock, events, timesOf } = diary()
  const server = new InviteServerTransaction({ clock, isReliable: true, events })
  server.respond(486, 'busy')
  server.confirm()
  clock.advance(1)
  t.same(timesOf('ended'), [0])
})

t.test('a server repeats its answer to a repeated request for 32 s, over datagrams', async (t) => {
  const { clock, events, timesOf } = diary()
  const server = new NonInviteServerTransaction({ clock, isReliable: false, events })
  server.absorb()
  server.respond(200, 'ok')
  t.equal(server.respond(500, 'error'), false)
  clock.advance(31_999)
  server.absorb()
  t.same(timesOf('ok'), [0, 31_999])
  clock.advance(1)
  t.same(timesOf('ended'), [32_000], 'timer J')
  const stream = diary()
  const other = new NonInviteServerTransaction({
    clock: stream.clock,
    isReliable: true,
    events: stream.events,
  })
  other.respond(200, 'ok')
  stream.clock.advance(0)
  t.same(stream.timesOf('ended'), [0])
})

t.test(
  'an INVITE that brings nothing back is repeated by timer A and given up by timer B',
  async (t) => {
    const { clock, events, timesOf } = diary()
    const client = new InviteClientTransaction({ clock, isReliable: false, text: 'invite', events })
    client.start()
    clock.advance(60_000)
    t.same(timesOf('invite'), [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500])
    t.same(timesOf('timed out'), [32_000])
    t.same(timesOf('ended'), [32_000])
    t.equal(clock.timers, 0)
  },
)

t.test('a provisional response stops the repeating, and then there is no limit', async (t) => {
  const { clock, events, happened, timesOf } = diary()
  const client = new InviteClientTransaction({ clock, isReliable: false, text: 'invite', events })
  client.start()
  client.receive({ status: 180 })
  clock.advance(600_000)
  t.same(happened(), ['invite', 'response 180'])
  client.receive({ status: 486 })
  client.receive({ status: 486 })
  t.same(timesOf('ack 486').length, 2, 'each refusal is acknowledged')
  t.same(timesOf('response 486').length, 1, 'and reported once')
  clock.advance(60_000)
  t.same(timesOf('ended'), [632_000], 'timer D')
})

t.test('every success of an INVITE is reported for 64·T1', async (t) => {
  const { clock, events, timesOf } = diary()
  const client = new InviteClientTransaction({ clock, isReliable: false, text: 'invite', events })
  client.start()
  client.receive({ status: 200 })
  clock.advance(500)
  client.receive({ status: 200 })
  client.receive({ status: 486 })
  t.same(timesOf('response 200'), [0, 500])
  t.same(timesOf('response 486'), [])
  clock.advance(60_000)
  t.same(timesOf('ended'), [32_000], 'timer M')
})

t.test(
  'CANCEL waits for a provisional response, and ends the INVITE if none follows',
  async (t) => {
    const { clock, events, timesOf, happened } = diary()
    const client = new InviteClientTransaction({ clock, isReliable: false, text: 'invite', events })
    client.start()
    t.equal(
      client.cancel(() => events.send('cancel')),
      true,
    )
    t.equal(
      client.cancel(() => events.send('cancel')),
      false,
      'once',
    )
    clock.advance(100)
    t.same(timesOf('cancel'), [])
    client.receive({ status: 100 })
    t.same(timesOf('cancel'), [100])
    clock.advance(60_000)
    t.same(timesOf('timed out'), [32_100])
    t.equal(
      client.cancel(() => events.send('cancel')),
      false,
    )
    t.same(happened().at(-1), 'ended')
  },
)

t.test('any other request is repeated by timer E up to T2 and given up by timer F', async (t) => {
  const { clock, events, timesOf } = diary()
  const client = new NonInviteClientTransaction({ clock, isReliable: false, text: 'bye', events })
  client.start()
  clock.advance(60_000)
  t.same(timesOf('bye'), G)
  t.same(timesOf('timed out'), [32_000])
  t.equal(clock.timers, 0)
})

t.test('a provisional response slows it down, a final one ends it after T4', async (t) => {
  const { clock, events, timesOf } = diary()
  const client = new NonInviteClientTransaction({ clock, isReliable: false, text: 'bye', events })
  client.start()
  client.receive({ status: 100 })
  clock.advance(9_000)
  t.same(timesOf('bye'), [0, 500, 4_500, 8_500])
  client.receive({ status: 200 })
  client.receive({ status: 200 })
  t.same(timesOf('response 200'), [9_000])
  clock.advance(60_000)
  t.same(timesOf('bye').length, 4)
  t.same(timesOf('ended'), [14_000], 'timer K')
})

t.test('over a stream a client sends each request once', async (t) => {
  for (const Transaction of [InviteClientTransaction, NonInviteClientTransaction]) {
    const { clock, events, timesOf } = diary()
    const client = new Transaction({ clock, isReliable: true, text: 'request', events })
    client.start()
    clock.advance(60_000)
    t.same(timesOf('request'), [0])
    t.same(timesOf('timed out'), [32_000])
  }
  const { clock, events, timesOf } = diary()
  const client = new InviteClientTransaction({ clock, isReliable: true, text: 'invite', events })
  client.start()
  client.receive({ status: 404 })
  clock.advance(0)
  t.same(timesOf('ended'), [0])
})
