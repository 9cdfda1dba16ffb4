import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { RecordedPause } from '../../storage/model.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import { startMariadb } from '../mariadb.ts'
import { decodeOpus } from '../recorder/opus-file.ts'
import { until } from '../until.ts'
import { contactOf, hasEnded } from './contact-of.ts'
import { type GatewayFolder, makeGateway } from './gateway-process.ts'
import { EDGE_MS, meanShare, peakOf, SILENT } from './masked-audio.ts'
import { answeredLines, bothBodies, MULTIPART, metadata, offer } from './recording-offer.ts'
import { SipPeer } from './sip-peer.ts'
import { talkOn } from './talk-on.ts'
import { Talker } from './talker.ts'

const TOKEN = 'a-token-that-is-as-long-as-a-real-one-would-be'
const TONES = [600, 1500] as const
/** What a caller types into a card machine; it must be nowhere. */
const CARD = '9182736455463728'
const KEYS = { pause: '*71', resume: '*70', from: 'agent' }

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

async function startGateway(t: Pick<Test, 'teardown'>, masking: object = { keys: KEYS }) {
  const gateway = await makeGateway(mariadb.settings, {
    serviceLines: [{ name: 'support', numbers: ['+12025550100'], period: 'P2M', masking }],
    log: { level: 'debug' },
  })
  t.teardown(() => gateway.remove())
  const process = await gateway.start()
  gateway.write('admin.token', TOKEN)
  return { gateway, process }
}

let ordinary: ReturnType<typeof startGateway> | undefined

/** The one gateway of all tests that need none of their own. */
function ordinaryGateway(): ReturnType<typeof startGateway> {
  ordinary ??= startGateway(t)
  return ordinary
}

/** An order of the platform's: the status, the first call of the answer, and when it was sent. */
async function order(gateway: GatewayFolder, path: string, body?: object) {
  const sentAtMs = Date.now()
  const response = await fetch(`${gateway.http}/api/calls/${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const answer: { items?: readonly OrderedCall[]; code?: string } = JSON.parse(
    await response.text(),
  )
  const asked = { fromMs: sentAtMs, toMs: Date.now() }
  return { status: response.status, call: answer.items?.[0], code: answer.code, asked }
}

/** When something was asked for, epoch milliseconds. */
interface Asked {
  readonly fromMs: number
  readonly toMs: number
}

interface OrderedCall {
  readonly contactId: string
  readonly isPaused: boolean
  readonly isStopped: boolean
  readonly pauses: readonly RecordedPause[]
}

/** A recording session that is up, with a tone of each party's. */
async function startCall(t: Test, gateway: GatewayFolder, callId: string) {
  const peer = await SipPeer.open(gateway.sip)
  t.teardown(() => peer.close())
  const [caller, agent] = [await Talker.open(t, TONES[0]), await Talker.open(t, TONES[1])]
  let version = 0
  const description = (direction: 'sendonly' | 'inactive') =>
    offer(
      [
        { ...LINE, port: caller.port, label: '1', direction },
        { ...LINE, port: agent.port, label: '2', direction },
      ],
      ++version,
    )
  const call = peer.call({
    callId,
    to: 'sip:+12025550100@127.0.0.1',
    contentType: MULTIPART,
    body: bothBodies(description('sendonly'), metadata()),
  })
  const { status, body } = await call.invite()
  if (status !== 200) throw new Error(`the INVITE got ${status}`)
  const [first, second] = answeredLines(body)
  const talk = () => {
    caller.talk(first?.port ?? 0)
    agent.talk(second?.port ?? 0)
  }
  talk()
  return {
    peer,
    call,
    caller,
    agent,
    talk,
    /** Sends a re-offer, and tells when. */
    async reoffer(direction: 'sendonly' | 'inactive'): Promise<Asked> {
      const fromMs = Date.now()
      await call.reinvite({ body: description(direction) })
      return { fromMs, toMs: Date.now() }
    },
    /** The agent types keys; tells when the last was pressed. */
    async type(keys: string): Promise<Asked> {
      const fromMs = await agent.press(keys)
      return { fromMs, toMs: Date.now() }
    },
  }
}

const LINE = { payloadTypes: '0 101', attributes: ['a=rtpmap:101 telephone-event/8000'] }

function audioOf(gateway: GatewayFolder, recordingId: string) {
  const file = join(gateway.dataPath, 'recordings', storeFileOf(recordingId))
  const { caller, agent } = decodeOpus(readFileSync(file))
  return [caller, agent] as const
}

/** Asserts that stretches are silent within a slot of when they were asked for, and that all else is there. */
function assertMasked(
  t: Test,
  channels: readonly Int16Array[],
  stretches: readonly { readonly fromMs: number; readonly toMs: number }[],
): void {
  const lengthMs = (channels[0]?.length ?? 0) / 48
  const edges = stretches.flatMap(({ fromMs, toMs }) => [fromMs, toMs])
  for (const [channel, samples] of channels.entries()) {
    for (const { fromMs, toMs } of stretches) {
      const peak = peakOf(samples, { fromMs: fromMs + EDGE_MS, toMs: toMs - EDGE_MS })
      t.ok(peak < SILENT, `channel ${channel} is silent from ${fromMs}: ${peak}`)
    }
    const heard = [60, ...edges, lengthMs]
    for (let at = 0; at < heard.length; at += 2) {
      const [from = 0, to = 0] = [heard[at], heard[at + 1]]
      const share = meanShare(samples, {
        fromMs: from + EDGE_MS,
        toMs: to - EDGE_MS,
        hertz: TONES[channel] ?? 0,
      })
      t.ok(share > 0.5, `channel ${channel} talks from ${from} to ${to}: ${share}`)
    }
  }
}

t.test('a recording is paused in each way to the slot, and digits are nowhere', async (t) => {
  const { gateway, process } = await ordinaryGateway()
  const { call, caller, type, reoffer } = await startCall(t, gateway, 'each-way')
  await talkOn(1000)
  await caller.press(CARD)
  call.request('INFO', {
    contentType: 'application/dtmf-relay',
    body: 'Signal=9182736455\r\nDuration=160\r\n',
  })
  t.equal((await call.response('INFO')).status, 200)
  const asked: Asked[] = []
  t.equal((await order(gateway, 'unknown/pause')).status, 404)

  const { call: paused, asked: first } = await order(gateway, 'each-way/pause', {
    reason: 'card-data',
  })
  asked.push(first)
  t.match(paused, { isPaused: true, pauses: [{ toMs: null, by: 'api', reason: 'card-data' }] })
  await caller.press(CARD)
  asked.push((await order(gateway, `${paused?.contactId}/resume`)).asked)
  await talkOn(500)
  asked.push(await type('*71'))
  await talkOn(500)
  asked.push(await type('*70'))
  await talkOn(500)
  asked.push(await reoffer('inactive'))
  await talkOn(500)
  asked.push(await reoffer('sendonly'))
  await talkOn(500)
  await call.bye()

  const contact = await contactOf(mariadb.pool(), 'each-way', hasEnded)
  const [recording] = contact.recordings
  t.match(recording, { state: 'complete', reasons: ['paused'], onHold: [] })
  const startedAtMs = Date.parse(recording?.startedAt ?? '')
  const pauses = recording?.pauses ?? []
  t.same(
    pauses.map(({ by, reason }) => [by, reason]),
    [
      ['api', 'card-data'],
      ['dtmf', null],
      ['offer', null],
    ],
  )
  const told = pauses.flatMap(({ fromMs, toMs }) => [fromMs, toMs ?? 0])
  for (const [at, { fromMs, toMs }] of asked.entries()) {
    // What has arrived by a moment stands up to 20 ms after it.
    const askedMs = startedAtMs + (told[at] ?? 0) - 20
    t.ok(askedMs >= fromMs - 1 && askedMs <= toMs + 1, `${askedMs}: ${fromMs} to ${toMs}`)
  }
  const stretches = pauses.map(({ fromMs, toMs }) => ({ fromMs, toMs: toMs ?? 0 }))
  assertMasked(t, audioOf(gateway, recording?.id ?? ''), stretches)

  const metrics = await (await fetch(`${gateway.http}/metrics`)).text()
  t.equal(await gateway.metric('tallenne_pauses_total{by="dtmf"}'), 1)
  const outputs = { log: process.log(), metrics, rows: await allRows(), ...filesOf(gateway) }
  for (const [name, text] of Object.entries(outputs)) {
    t.notOk(text.includes(CARD), `no digits in ${name}`)
    t.notOk(text.includes(CARD.slice(0, 6)), `not some of them in ${name}`)
    t.notOk(text.includes('Signal='), `no INFO body in ${name}`)
    t.notOk(text.includes('*71'), `no code in ${name}`)
  }
})

t.test('keys that a client tells of in INFO count where either party may type them', async (t) => {
  for (const from of ['agent', 'either'] as const) {
    const { gateway, process } = await startGateway(t, { keys: { ...KEYS, from } })
    const { call } = await startCall(t, gateway, `info-${from}`)
    const type = async (keys: string) => {
      for (const key of keys) {
        call.request('INFO', {
          contentType: 'application/dtmf-relay',
          body: `Signal=${key}\r\nDuration=160\r\n`,
        })
        t.equal((await call.response('INFO')).status, 200)
      }
    }
    await talkOn(500)
    await type(`${CARD}*71`)
    await talkOn(500)
    await type('*70')
    await talkOn(500)
    await call.bye()
    const contact = await contactOf(mariadb.pool(), `info-${from}`, hasEnded)
    const [recording] = contact.recordings
    // The client does not say whose keys they were.
    t.match(
      recording?.pauses.map(({ by }) => by),
      from === 'either' ? ['dtmf'] : [],
    )
    t.equal(recording?.pauses.length, from === 'either' ? 1 : 0)
    const stretches = (recording?.pauses ?? []).map(({ fromMs, toMs }) => ({
      fromMs,
      toMs: toMs ?? 0,
    }))
    assertMasked(t, audioOf(gateway, recording?.id ?? ''), stretches)
    const outputs = { log: process.log(), rows: await allRows(), ...filesOf(gateway) }
    for (const [name, text] of Object.entries(outputs)) {
      t.notMatch(text, /Signal=|\*71/, name)
    }
  }
})

/** All that stands in the database, but for the configuration in the audit trail: it tells the codes, and nobody's keys. */
async function allRows(): Promise<string> {
  const pool = mariadb.pool()
  const tables: Record<string, string>[] = await pool.query('SHOW TABLES')
  const rows = await Promise.all(
    tables.map(async (table) => {
      const [name] = Object.values(table)
      const which = name === 'audit_trail' ? "WHERE action <> 'configuration_changed'" : ''
      return pool.query(`SELECT * FROM ${name} ${which}`)
    }),
  )
  return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

/** What the gateway has written, by paths. */
function filesOf(gateway: GatewayFolder): Record<string, string> {
  const paths = readdirSync(gateway.dataPath, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    paths
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return [path, readFileSync(path, 'latin1')]
      }),
  )
}

t.test('a node that is killed in a pause has nothing of it in the repaired file', async (t) => {
  const { gateway, process } = await startGateway(t)
  const { call } = await startCall(t, gateway, 'killed-paused')
  await talkOn(1500)
  t.match(await order(gateway, 'killed-paused/pause'), { status: 200, call: { isPaused: true } })
  await talkOn(1500)
  await contactOf(mariadb.pool(), 'killed-paused', ({ recordings }) =>
    recordings.some(({ pauses }) => pauses.length === 1),
  )
  await process.end('SIGKILL')
  await gateway.start()
  const contact = await contactOf(mariadb.pool(), 'killed-paused', hasEnded)
  const [recording] = contact.recordings
  const [pause] = recording?.pauses ?? []
  t.match(recording, { state: 'partial', reasons: ['crash_recovered'] })
  t.match(pause, { by: 'api', toMs: recording?.durationMs }, 'its row still tells of the pause')
  const from = pause?.fromMs ?? 0
  t.ok((recording?.durationMs ?? 0) > from + 300, 'the file holds some of the pause')
  for (const samples of audioOf(gateway, recording?.id ?? '')) {
    t.ok(peakOf(samples, { fromMs: from + EDGE_MS, toMs: samples.length / 48 }) < SILENT)
    t.ok(peakOf(samples, { fromMs: from - 100, toMs: from }) > 4000, 'and what was said before')
  }
  call.cancel()
})

t.test('a pause that is forgotten is told, and ended where its line says so', async (t) => {
  const masking = { longestPauseS: 1, resumesByItself: true }
  const { gateway, process } = await startGateway(t, masking)
  const { call } = await startCall(t, gateway, 'forgotten')
  await talkOn(500)
  await order(gateway, 'forgotten/pause')
  await until(async () => {
    const live = await fetch(`${gateway.http}/api/calls`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    const { items }: { items: readonly { isPaused: boolean }[] } = JSON.parse(await live.text())
    return items[0]?.isPaused === false
  })
  await call.bye()
  const { recordings } = await contactOf(mariadb.pool(), 'forgotten', hasEnded)
  const [pause] = recordings[0]?.pauses ?? []
  const lengthMs = (pause?.toMs ?? 0) - (pause?.fromMs ?? 0)
  // It is timed from the order on, and begins where an engine takes that: some milliseconds later.
  t.ok(lengthMs >= 950, `${lengthMs} ms`)
  t.match(process.log(), /paused for longer/)
  t.equal(await gateway.metric('tallenne_pauses_overdue_total'), 1)
})

t.test('orders are idempotent, and one that cannot be taken says why', async (t) => {
  const { gateway } = await ordinaryGateway()
  const { call } = await startCall(t, gateway, 'orders')
  await talkOn(300)
  t.match(await order(gateway, 'orders/resume'), { status: 200, call: { isPaused: false } })
  await order(gateway, 'orders/pause', { reason: 'card-data' })
  t.match(await order(gateway, 'orders/pause', { reason: 'other' }), {
    status: 200,
    call: { isPaused: true, pauses: [{ reason: 'card-data' }] },
  })
  for (const [path, body] of [
    ['orders/pause', { reason: '4111' }],
    ['orders/pause', { reasons: 'card' }],
    ['orders/annotate', {}],
    ['orders/annotate', { notes: { '1st': 'x' } }],
    ['orders/annotate', { notes: { order: 'x'.repeat(1025) } }],
    ['orders/annotate', { notes: { order: 7 } }],
  ] as const) {
    t.match(await order(gateway, path, body), { status: 400, code: 'invalid_parameter' })
  }
  await order(gateway, 'orders/annotate', { notes: { order: 'A-1', colour: 'blue' } })
  await order(gateway, 'orders/annotate', { notes: { order: 'A-2', colour: null } })
  await call.bye()
  const contact = await contactOf(mariadb.pool(), 'orders', hasEnded)
  t.same(contact.notes, { order: 'A-2' })
  t.match(contact.recordings[0]?.pauses, [{ toMs: contact.recordings[0]?.durationMs }])
  t.match(await order(gateway, 'orders/pause'), { status: 404, code: 'call_unknown' })
})

t.test(
  'a recording that is stopped ends there, and its client is asked to be silent',
  async (t) => {
    const { gateway } = await ordinaryGateway()
    const { call, talk, reoffer } = await startCall(t, gateway, 'stopped')
    await talkOn(1200)
    const { status, asked } = await order(gateway, 'stopped/stop')
    t.equal(status, 200)
    const invite = await call.received('INVITE')
    t.same(
      answeredLines(invite.body).map(({ direction }) => direction),
      ['inactive', 'inactive'],
    )
    call.accept(invite, offer([{ port: 9, direction: 'inactive' }]))
    const judged = await contactOf(mariadb.pool(), 'stopped', ({ recordings }) =>
      recordings.some(({ state }) => state === 'complete'),
    )
    t.equal(judged.endedAt, null, 'the call goes on')
    await reoffer('sendonly')
    talk()
    await talkOn(500)
    t.match(await order(gateway, 'stopped/stop'), { status: 200, call: { isStopped: true } })
    await call.bye()
    const contact = await contactOf(mariadb.pool(), 'stopped', hasEnded)
    t.equal(contact.recordings.length, 1)
    const { startedAt = '', durationMs = 0 } = contact.recordings[0] ?? {}
    const lastsUntilMs = Date.parse(startedAt) + (durationMs ?? 0)
    t.ok((durationMs ?? 0) > 1000 && lastsUntilMs <= asked.toMs + 20, `${durationMs} ms`)
    t.same(
      judged.recordings,
      contact.recordings.map((one) => ({ ...one, deleteAfter: null })),
    )
  },
)
