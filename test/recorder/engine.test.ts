import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { Engine } from '../../recorder/engine.ts'
import type {
  EngineNotice,
  EngineReply,
  EngineReport,
  EngineRequest,
  EngineSettings,
} from '../../recorder/engine-protocol.ts'
import { FileBudget } from '../../recorder/file-budget.ts'
import type { OpenPageSink } from '../../recorder/page-sink.ts'
import type { RecordingOutcome, RecordingPlan } from '../../recorder/recording-plan.ts'
import { until } from '../until.ts'
import { MemorySink } from './memory-sink.ts'
import { decodeOpus, opusInfo } from './opus-file.ts'
import { SETTINGS, streamPlan } from './recording-rig.ts'
import { rtp } from './rtp.ts'
import { keying } from './srtp/keying.ts'
import { sealedAt } from './srtp/sealed-at.ts'
import { toneBytes, toneShare } from './tones.ts'

type WithoutId<Request> = Request extends unknown ? Omit<Request, 'requestId'> : never

/** An engine with its replies matched to its requests, and its sinks in memory. */
class EngineRig {
  readonly engine: Engine
  readonly clock = new SystemClock()
  readonly sinks = new Map<string, MemorySink>()
  readonly reports: EngineReport[] = []
  readonly #waiting = new Map<number, (reply: EngineReply) => void>()
  #requests = 0

  constructor(
    t: Test,
    settings: Partial<EngineSettings> = {},
    { openSink, files }: { openSink?: OpenPageSink; files?: FileBudget } = {},
  ) {
    this.engine = new Engine({
      settings: { ...SETTINGS, holdBackMs: 200, ...settings },
      clock: this.clock,
      openSink:
        openSink ??
        ((recordingId) => {
          const sink = new MemorySink()
          this.sinks.set(recordingId, sink)
          return sink
        }),
      log: createSilentLog(),
      reply: (message) => this.#take(message),
      ...(files === undefined ? {} : { files }),
    })
    this.engine.start()
    t.teardown(() => this.ask({ kind: 'shutdown' }))
  }

  ask(request: WithoutId<EngineRequest>): Promise<EngineReply> {
    const requestId = ++this.#requests
    return new Promise((resolve) => {
      this.#waiting.set(requestId, resolve)
      this.engine.handle({ ...request, requestId } as EngineRequest)
    })
  }

  /** Opens a recording and answers it. Gives its RTP ports, or the code of the refusal. */
  async open(recordingId: string, ports: readonly number[] = [4000, 4002], after?: string) {
    const opened = { ...plan(recordingId, ports), ...(after && { after: [after] }) }
    const reply = await this.ask({ kind: 'open', plan: opened })
    if (reply.kind !== 'opened') return reply.kind === 'refused' ? reply.code : reply.kind
    await this.ask({ kind: 'answered', recordingId, answeredAtMs: this.clock.epochMs() })
    return reply.ports.map(({ rtpPort }) => rtpPort)
  }

  async close(recordingId: string): Promise<RecordingOutcome | string> {
    const endedAtMs = this.clock.epochMs()
    const reply = await this.ask({ kind: 'close', recordingId, endedAtMs, reasons: [] })
    if (reply.kind === 'closed') return reply.outcome
    return reply.kind === 'refused' ? reply.code : reply.kind
  }

  /** Waits until a report tells that these counters come to so much. */
  async counted(total: number, names: readonly string[]): Promise<void> {
    const sumOf = ({ counters }: EngineReport) =>
      names.reduce((sum, name) => sum + (counters[name] ?? 0), 0)
    await until(() => this.reports.some((report) => sumOf(report) >= total))
  }

  #take(message: EngineReply | EngineNotice): void {
    if ('requestId' in message) this.#waiting.get(message.requestId)?.(message)
    else if (message.kind === 'report') this.reports.push(message)
  }
}

function plan(recordingId: string, [caller = 0, agent = 0]: readonly number[]): RecordingPlan {
  return {
    recordingId,
    callId: `call of ${recordingId}`,
    streams: [
      streamPlan('caller', { remote: { address: '127.0.0.1', port: caller } }),
      streamPlan('agent', { remote: { address: '127.0.0.1', port: agent } }),
    ],
  }
}

async function bind(t: Test): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return socket
}

/** Talks from two sockets to two ports, each with a tone of its own, in real time. */
async function talk(
  sockets: readonly Socket[],
  ports: readonly number[] | string,
  packets: number,
): Promise<void> {
  if (typeof ports === 'string') throw new Error(ports)
  const startedAtMs = performance.now()
  for (let n = 0; n < packets; n++) {
    for (const [index, socket] of sockets.entries()) {
      const packet = rtp({
        sequenceNumber: 65_500 + n,
        timestamp: 2 ** 32 - 1000 + n * 160,
        ssrc: index,
        payload: toneBytes(index === 0 ? 600 : 1500, n * 160, 160),
      })
      socket.send(packet, ports[index] ?? 0, '127.0.0.1')
    }
    // A machine that was busy catches up, as a telephone does.
    await sleep(Math.max(0, startedAtMs + (n + 1) * 20 - performance.now()))
  }
}

function outcomeOf(closed: RecordingOutcome | string): RecordingOutcome {
  if (typeof closed === 'string') throw new Error(closed)
  return closed
}

t.test('a call becomes a file of its length, each party on its own channel', async (t) => {
  const rig = new EngineRig(t)
  const parties = [await bind(t), await bind(t)]
  const ports = await rig.open(
    'r1',
    parties.map((socket) => socket.address().port),
  )
  await talk(parties, ports, 75)
  const outcome = outcomeOf(await rig.close('r1'))
  t.match(outcome, { verdict: 'complete', reasons: [] })
  const bytes = rig.sinks.get('r1')?.bytes ?? Buffer.alloc(0)
  t.notMatch(opusInfo(bytes), /WARNING/)
  const decoded = decodeOpus(bytes)
  t.equal(decoded.caller.length, Math.round(outcome.durationMs * 48))
  const middle = (samples: Int16Array) => samples.subarray(24_000, 28_800)
  t.ok(toneShare(middle(decoded.caller), 600, 48_000) > 0.9)
  t.ok(toneShare(middle(decoded.agent), 1500, 48_000) > 0.9)
})

t.test(
  'a call that follows another on the same streams has its ports, and a file of its own',
  async (t) => {
    const rig = new EngineRig(t)
    const parties = [await bind(t), await bind(t)]
    const remote = parties.map((socket) => socket.address().port)
    const openedAtMs = rig.clock.monotonicMs()
    const ports = await rig.open('first', remote)
    await talk(parties, ports, 50)
    const following = await rig.open('second', remote, 'first')
    t.strictSame(following, ports)
    const first = outcomeOf(await rig.close('first'))
    const firstMs = rig.clock.monotonicMs() - openedAtMs
    await talk([...parties].reverse(), [...following].reverse() as number[], 75)
    const second = outcomeOf(await rig.close('second'))
    t.match(first, { verdict: 'complete', reasons: [] })
    t.match(second, { verdict: 'complete', reasons: [] })
    t.ok(first.durationMs <= firstMs, `${first.durationMs} of ${firstMs} ms`)
    t.ok(second.durationMs > 1400, `${second.durationMs} ms`)
    const heard = decodeOpus(rig.sinks.get('second')?.bytes ?? Buffer.alloc(0))
    t.ok(toneShare(heard.caller.subarray(24_000, 28_800), 1500, 48_000) > 0.9)
    t.ok(toneShare(heard.agent.subarray(24_000, 28_800), 600, 48_000) > 0.9)
    // What the first gave up, its end does not close: the second was heard after it.
    const third = await rig.open('third', remote, 'nobody')
    t.notSame(third, ports)
  },
)

t.test(
  'a stream that goes from call to call and back keeps its port, and its packets their numbers',
  async (t) => {
    const rig = new EngineRig(t)
    const keys = keying('AES_CM_128_HMAC_SHA1_80')
    const socket = await bind(t)
    const stream = streamPlan('caller', {
      remote: { address: '127.0.0.1', port: socket.address().port },
      srtp: { receive: keys, send: keying(keys.suite, 2) },
    })
    // Ninety hours into a call, where the rollover counter takes packets to be found.
    let index = 250 * 0x10000 - 100
    let rtpPort = 0
    const speak = async (packets: number) => {
      for (const end = index + packets; index < end; index++) {
        const fields = { timestamp: (index % 0x10000) * 160, payload: toneBytes(600, 0, 160) }
        socket.send(sealedAt(keys, index, fields), rtpPort, '127.0.0.1')
        await sleep(5)
      }
    }
    const open = async (recordingId: string, after: readonly string[]) => {
      const streams = after.length > 0 ? [stream] : [stream, streamPlan('agent')]
      const opened = { recordingId, callId: 'session', streams, after }
      const reply = await rig.ask({ kind: 'open', plan: opened })
      await rig.ask({ kind: 'answered', recordingId, answeredAtMs: rig.clock.epochMs() })
      return reply.kind === 'opened' ? reply.ports[0]?.rtpPort : undefined
    }
    rtpPort = (await open('first', [])) ?? 0
    await speak(80)
    t.equal(await open('second', ['first']), rtpPort)
    await speak(80)
    const back = await rig.ask({
      kind: 'update',
      recordingId: 'first',
      streams: [stream, streamPlan('agent')],
      after: ['second'],
    })
    t.match(back, { kind: 'updated', ports: [{ streamId: 'caller', rtpPort }, {}] })
    await rig.ask({ kind: 'update', recordingId: 'second', streams: [] })
    await speak(80)
    await rig.counted(240, ['packets_placed', 'packets_late', 'packets_unauthenticated'])
    const first = outcomeOf(await rig.close('first'))
    const second = outcomeOf(await rig.close('second'))
    const fates = [...first.streams, ...second.streams]
      .filter(({ streamId }) => streamId === 'caller')
      .map(({ placed, late, unauthenticated, replayed }) => [
        placed + late,
        unauthenticated,
        replayed,
      ])
    const [[heard = 0, searched = 0] = [], ...others] = fates
    t.equal(heard + searched, 80)
    t.ok(searched < 64, `${searched} packets until the counter was found`)
    t.same(others, [
      [80, 0, 0],
      [80, 0, 0],
    ])
  },
)

t.test('ports are refused when they run out, and rest when they are free again', async (t) => {
  const rig = new EngineRig(t, { portFrom: 42_300, portTo: 42_307, portRestMs: 60_000 })
  const first = await rig.open('r1')
  t.ok(Array.isArray(first) && first.every((port) => port % 2 === 0))
  t.not(typeof (await rig.open('r2')), 'string')
  t.equal(await rig.open('r3'), 'no_ports')
  outcomeOf(await rig.close('r1'))
  t.equal(await rig.open('r3'), 'no_ports', 'they rest')
  outcomeOf(await rig.close('r2'))
})

t.test('what an engine cannot take is refused with its reason', async (t) => {
  const rig = new EngineRig(t, { maxRecordings: 1 })
  await rig.open('r1')
  t.equal(await rig.open('r2'), 'too_many_recordings')
  t.equal(await rig.close('nobody'), 'unknown_recording')
  const again = await rig.ask({ kind: 'open', plan: plan('r1', []) })
  t.match(again, { kind: 'refused', code: 'engine_failed' })
  outcomeOf(await rig.close('r1'))
  t.equal(await rig.close('r1'), 'unknown_recording')
  t.not(typeof (await rig.open('r2')), 'string')
})

t.test('a process near its limit of files takes no call', async (t) => {
  const files = new FileBudget({ clock: new SystemClock(), limit: 130, countOpen: () => 0 })
  const rig = new EngineRig(t, {}, { files })
  t.equal(await rig.open('r1'), 'no_files')
  const { reports } = rig
  await until(() => reports.length > 0)
  t.equal(reports[0]?.portsInUse, 0)
})

t.test('a recording that breaks leaves the others alone', async (t) => {
  const sink = new MemorySink()
  const rig = new EngineRig(
    t,
    {},
    {
      openSink: (recordingId) => {
        if (recordingId === 'broken') throw new Error('no such sink')
        return sink
      },
    },
  )
  const parties = [await bind(t), await bind(t)]
  const from = parties.map((socket) => socket.address().port)
  const broken = await rig.open('broken', from)
  const whole = await rig.open('whole', from)
  await Promise.all([talk(parties, broken, 40), talk(parties, whole, 40)])
  t.match(outcomeOf(await rig.close('broken')), { verdict: 'failed', sha256: null })
  t.match(outcomeOf(await rig.close('whole')), { verdict: 'complete' })
})

t.test('a call that still runs at the end is finished, and its file whole', async (t) => {
  const rig = new EngineRig(t)
  const parties = [await bind(t), await bind(t)]
  const ports = await rig.open(
    'r1',
    parties.map((socket) => socket.address().port),
  )
  await talk(parties, ports, 25)
  t.match(await rig.ask({ kind: 'shutdown' }), { kind: 'done' })
  const sink = rig.sinks.get('r1')
  t.equal(sink?.isFinished, true)
  t.notMatch(opusInfo(sink?.bytes ?? Buffer.alloc(0)), /WARNING/)
  t.equal(await rig.open('r2'), 'too_many_recordings', 'nothing is taken any more')
})

t.test('reports count what came, once a second', async (t) => {
  const rig = new EngineRig(t)
  const parties = [await bind(t), await bind(t)]
  const ports = await rig.open(
    'r1',
    parties.map((socket) => socket.address().port),
  )
  await talk(parties, ports, 30)
  const live = await rig.ask({ kind: 'live' })
  t.match(live, { kind: 'live', recordings: [{ recordingId: 'r1' }] })
  const before = rig.reports.length
  await until(() => rig.reports.length > before)
  t.match(rig.reports.at(-1), {
    recordings: 1,
    portsInUse: 2,
    counters: { recordings_opened: 1, packets_placed: 60, packets_lost: 0 },
  })
  outcomeOf(await rig.close('r1'))
  const after = rig.reports.length
  await until(() => rig.reports.length > after)
  t.match(rig.reports.at(-1), {
    recordings: 0,
    portsInUse: 0,
    counters: { packets_placed: 60 },
  })
})
