import fc from 'fast-check'
import t from 'tap'
import { HeardSpans } from '../../../portal/audit/heard-spans.ts'
import { Listenings, type ReadableAudio } from '../../../portal/audit/listenings.ts'
import { OggTimes } from '../../../portal/audit/ogg-times.ts'
import type { AuditEvent } from '../../../storage/audit/audit-event.ts'
import { ManualClock } from '../../manual-clock.ts'

/** An Ogg page that ends at a second, of so many bytes of body. */
function page(endS: number, bodyBytes: number): Buffer {
  const header = Buffer.alloc(27)
  header.write('OggS', 'latin1')
  header.writeBigInt64LE(BigInt(endS * 48_000), 6)
  return Buffer.concat([header, Buffer.alloc(bodyBytes, 0x55)])
}

/** A minute, a page for each second, behind two pages of headers. */
const FILE = Buffer.concat([
  page(0, 19),
  page(0, 40),
  ...Array.from({ length: 60 }, (_, index) => page(index + 1, 3000)),
])
const PAGE_BYTES = 3027
const HEAD_BYTES = 27 * 2 + 59
const pageAt = (second: number) => HEAD_BYTES + second * PAGE_BYTES

class StandInAudio implements ReadableAudio {
  closed = 0
  async *read(first: number, last: number): AsyncGenerator<Uint8Array> {
    for (let at = first; at <= last; at += 1000) {
      yield FILE.subarray(at, Math.min(at + 1000, last + 1))
    }
  }
  async close(): Promise<void> {
    this.closed++
  }
}

const subject = {
  actor: { kind: 'token', name: 'admin-token' },
  recordingId: '019b7a1c-1e2b-7c3d-8e4f-5a6b7c8d9e0f',
  contactId: '019b7a1c-1e2b-7c3d-8e4f-5a6b7c8d9e00',
  durationMs: 60_000,
  bytes: FILE.length,
  format: 'ogg',
} as const

function listenings() {
  const events: AuditEvent[] = []
  const state = { isAway: false }
  const record = async (event: AuditEvent) => {
    if (state.isAway) throw new Error('away')
    events.push(event)
  }
  const clock = new ManualClock()
  const all = new Listenings({
    trail: { record },
    queue: { record: async (event) => void events.push(event) },
    clock,
  })
  const hear = async (first: number, last: number, format = 'ogg') => {
    const source = new StandInAudio()
    const audio = await all.listen({ ...subject, format }, source)
    for await (const _ of audio.read(first, last));
    await audio.close()
    t.equal(source.closed, 1)
  }
  const heard = () => events.filter(({ action }) => action === 'listened')
  return { all, events, state, clock, hear, heard }
}

t.test('a row stands before the first byte, and one with the seconds at the end', async (t) => {
  const { events, clock, hear } = listenings()
  await hear(0, FILE.length - 1)
  t.match(events, [{ action: 'listen_started', recordingId: subject.recordingId }])
  t.equal(events.length, 1)
  clock.advance(60_000)
  await new Promise((resolve) => setImmediate(resolve))
  t.match(events[1], {
    action: 'listened',
    actor: subject.actor,
    contactId: subject.contactId,
    details: { started: events[0]?.id, seconds: [[0, 60]], formats: ['ogg'], requests: 1 },
  })
})

t.test('the many ranges of a player are one listening', async (t) => {
  const { all, events, clock, hear } = listenings()
  await hear(0, 1)
  for (let second = 10; second < 20; second++) {
    await hear(pageAt(second), pageAt(second + 1) - 1)
    clock.advance(30_000)
  }
  await hear(pageAt(50), FILE.length - 1, 'mp3')
  await all.close()
  t.equal(events.length, 2)
  t.match(events[1]?.details, {
    seconds: [
      [0, 1],
      [10, 20],
      [50, 60],
    ],
    formats: ['mp3', 'ogg'],
    requests: 12,
  })
})

t.test('what is shorter than a page is told about, by its place in the file', async (t) => {
  const { all, heard, hear } = listenings()
  await hear(pageAt(30) + 100, pageAt(30) + 900)
  await all.close()
  t.match(heard()[0]?.details, { seconds: [[30, 31]] })
})

t.test('what is cut off counts as far as it was handed over', async (t) => {
  const { all, heard } = listenings()
  const audio = await all.listen(subject, new StandInAudio())
  let pieces = 0
  for await (const _ of audio.read(0, FILE.length - 1)) if (++pieces === 31) break
  await audio.close()
  await all.close()
  t.match(heard()[0]?.details, { seconds: [[0, 11]] })
})

t.test('nothing is to be heard that cannot be written down', async (t) => {
  const { all, state, events, hear } = listenings()
  state.isAway = true
  await t.rejects(all.listen(subject, new StandInAudio()), { message: 'away' })
  state.isAway = false
  await hear(0, 10)
  await all.close()
  t.equal(events.length, 2)
})

t.test('one that goes on for long has a row every half hour', async (t) => {
  const { all, clock, heard, hear } = listenings()
  for (let minute = 0; minute < 61; minute++) {
    await hear(pageAt(1), pageAt(2))
    clock.advance(30_000)
    await hear(pageAt(1), pageAt(2))
    clock.advance(29_000)
  }
  await all.close()
  t.equal(heard().length, 2)
})

t.test('one request that runs for more than half an hour is told whole', async (t) => {
  const { all, clock, heard } = listenings()
  const source = new StandInAudio()
  const audio = await all.listen(subject, source)
  let pieces = 0
  for await (const _ of audio.read(0, FILE.length - 1)) {
    // Sixty seconds of audio to a client that takes 31 minutes for them.
    if (pieces++ % 3 === 0) clock.advance(30_500)
  }
  t.equal(heard().length, 1, 'a row while it runs')
  t.match(heard()[0]?.details, { seconds: [[0, 59]], requests: 1, formats: ['ogg'] })
  await audio.close()
  clock.advance(60_000)
  await all.close()
  t.equal(heard().length, 2)
  t.match(heard()[1]?.details, { seconds: [[59, 60]], requests: 1, formats: ['ogg'] })
  t.equal(clock.timers, 0)
})

t.test('pages are found wherever pieces are cut', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
      async (cuts) => {
        const times = new OggTimes(true)
        let at = 0
        for (let index = 0; at < FILE.length; index++) {
          const length = cuts[index % cuts.length] ?? 1
          times.take(FILE.subarray(at, at + length))
          at += length
        }
        t.strictSame(times.span, { fromMs: 0, toMs: 60_000 })
      },
    ),
    { numRuns: 30 },
  )
})

t.test('no bytes of any kind throw', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, isFirst) => {
      const times = new OggTimes(isFirst)
      times.take(Buffer.concat([Buffer.from('OggS'), bytes]))
      times.take(bytes)
      const { span } = times
      if (span && span.toMs < span.fromMs) throw new Error('backwards')
    }),
  )
})

t.test('spans stay in order, apart and few', async (t) => {
  const spans = new HeardSpans()
  spans.add({ fromMs: 5000, toMs: 5000 })
  t.same(spans.seconds, [])
  spans.add({ fromMs: 5000, toMs: 6500 })
  spans.add({ fromMs: 0, toMs: 1200 })
  spans.add({ fromMs: 7400, toMs: 9000 })
  t.same(spans.seconds, [
    [0, 2],
    [5, 9],
  ])
  for (let n = 0; n < 300; n++) spans.add({ fromMs: 20_000 + n * 4000, toMs: 21_000 + n * 4000 })
  t.ok(spans.seconds.length <= 200)
  t.equal(spans.seconds[0]?.[0], 0)
  t.equal(spans.seconds.at(-1)?.[1], 1217)
})
