import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { Engine } from '../../recorder/engine.ts'
import type { EngineNotice, EngineReply, EngineRequest } from '../../recorder/engine-protocol.ts'
import { g711Encoding, g711Table } from '../../recorder/g711.ts'
import type { OpenPageSink } from '../../recorder/page-sink.ts'
import type { RecordingOutcome, StreamPlan } from '../../recorder/recording-plan.ts'
import { until, WAIT_MS } from '../until.ts'
import { Waiters } from '../waiters.ts'
import { MemorySink } from './memory-sink.ts'
import { rtp } from './rtp.ts'

type WithoutId<Request> = Request extends unknown ? Omit<Request, 'requestId'> : never

const PORTS = { portFrom: 42_200, portTo: 42_399 }

/** One party of a call: an RTP and an RTCP socket, and all that came to them from the engine. */
class Party {
  readonly heard: Buffer[] = []
  readonly heardControl: Buffer[] = []
  readonly #rtp: Socket
  readonly #rtcp: Socket
  readonly #waiters = new Waiters()

  private constructor(rtp: Socket, rtcp: Socket) {
    this.#rtp = rtp
    this.#rtcp = rtcp
    for (const [socket, heap] of [
      [rtp, this.heard],
      [rtcp, this.heardControl],
    ] as const) {
      socket.on('message', (datagram, { port }) => {
        // Others on this machine send their reports to the port above one that they hear.
        if (port >= PORTS.portFrom && port <= PORTS.portTo) this.#hear(heap, datagram)
      })
    }
  }

  static async open(t: Test): Promise<Party> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const
    for (const socket of sockets) {
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
      t.teardown(() => socket.close())
    }
    return new Party(...sockets)
  }

  get port(): number {
    return this.#rtp.address().port
  }

  get controlPort(): number {
    return this.#rtcp.address().port
  }

  send(datagram: Buffer, port: number): void {
    this.#rtp.send(datagram, port, '127.0.0.1')
  }

  sendControl(datagram: Buffer, port: number): void {
    this.#rtcp.send(datagram, port, '127.0.0.1')
  }

  async until(isEnough: () => boolean): Promise<void> {
    const deadline = Date.now() + WAIT_MS
    while (!isEnough()) {
      if (Date.now() > deadline) throw new Error(`only ${this.heard.length} packets came`)
      await this.#waiters.next(50)
    }
  }

  #hear(heap: Buffer[], datagram: Buffer): void {
    heap.push(datagram)
    this.#waiters.wake()
  }
}

function plan(role: 'caller' | 'agent', party: Party | undefined): StreamPlan {
  return {
    streamId: role,
    role,
    isReceiving: true,
    formats: [{ payloadType: 0, codec: 'PCMU', clockRate: 8000 }],
    eventPayloadTypes: [101],
    comfortNoisePayloadTypes: [13],
    remote: party && { address: '127.0.0.1', port: party.port },
    relay: {
      toStreamId: role === 'caller' ? 'agent' : 'caller',
      otherPayloadTypes: [18],
      ...(party && { rtcpPort: party.controlPort }),
    },
  }
}

async function openCall(
  t: Test,
  {
    openSink = () => new MemorySink(),
    isPlatformKnown = true,
  }: {
    readonly openSink?: OpenPageSink
    readonly isPlatformKnown?: boolean
  } = {},
) {
  const waiting = new Map<number, (reply: EngineReply) => void>()
  const notices: EngineNotice[] = []
  const engine = new Engine({
    settings: {
      engineIndex: 0,
      bindAddress: '127.0.0.1',
      advertisedAddress: '127.0.0.1',
      ...PORTS,
      portRestMs: 0,
      maxRecordings: 10,
      maxDecoders: 4,
      holdBackMs: 100,
      opus: { complexity: 0, bitrateBps: 16_000 },
      skipsQuiet: true,
      quietDb: -55,
      spoolPath: '/nowhere',
    },
    clock: new SystemClock(),
    openSink,
    log: createSilentLog(),
    reply: (message) => {
      if ('requestId' in message) waiting.get(message.requestId)?.(message)
      else notices.push(message)
    },
  })
  engine.start()
  let requests = 0
  const ask = (request: WithoutId<EngineRequest>): Promise<EngineReply> =>
    new Promise((resolve) => {
      const requestId = ++requests
      waiting.set(requestId, resolve)
      engine.handle({ ...request, requestId } as EngineRequest)
    })
  t.teardown(() => ask({ kind: 'shutdown' }))
  const caller = await Party.open(t)
  const platform = await Party.open(t)
  const opened = await ask({
    kind: 'open',
    plan: {
      recordingId: 'r1',
      callId: 'c1',
      streams: [plan('caller', caller), plan('agent', isPlatformKnown ? platform : undefined)],
    },
  })
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
  const [callerPort, platformPort] = opened.ports.map(({ rtpPort }) => rtpPort)
  if (callerPort === undefined || platformPort === undefined) throw new Error('ports are missing')
  return {
    ask,
    notices,
    caller,
    platform,
    callerPort,
    platformPort,
    update: (streams: readonly StreamPlan[]) => ask({ kind: 'update', recordingId: 'r1', streams }),
    async close(): Promise<RecordingOutcome> {
      const closed = await ask({
        kind: 'close',
        recordingId: 'r1',
        endedAtMs: Date.now(),
        reasons: [],
      })
      if (closed.kind !== 'closed') throw new Error(JSON.stringify(closed))
      return closed.outcome
    },
  }
}

const packets = (count: number, fields: Parameters<typeof rtp>[0] = {}) =>
  Array.from({ length: count }, (_, n) =>
    rtp({ sequenceNumber: 100 + n, timestamp: 5000 + n * 160, ssrc: 7, ...fields }),
  )

t.test('what one party sends reaches the other byte for byte, both ways', async (t) => {
  const { caller, platform, callerPort, platformPort, close } = await openCall(t)
  const said = [
    ...packets(3),
    rtp({ sequenceNumber: 103, payloadType: 101, payload: Buffer.from([1, 10, 0, 160]) }),
    rtp({ sequenceNumber: 104, payloadType: 13, payload: Buffer.from([40]) }),
    rtp({ sequenceNumber: 105, payloadType: 18, payload: Buffer.alloc(20, 1) }),
  ].map((packet) => Buffer.from(packet.fill(7, 11, 12)))
  // One SSRC throughout, as a telephone has it.
  for (const packet of said) packet.writeUInt32BE(7, 8)
  for (const packet of said) caller.send(packet, callerPort)
  await platform.until(() => platform.heard.length === said.length)
  t.same(platform.heard, said)
  const replied = packets(4, { ssrc: 9 })
  for (const packet of replied) platform.send(packet, platformPort)
  await caller.until(() => caller.heard.length === replied.length)
  t.same(caller.heard, replied)
  const { streams } = await close()
  t.match(streams[0], { relayed: 6, unrelayed: 0, events: 1, comfortNoise: 1, unrecordable: 1 })
  t.match(streams[1], { relayed: 4, unrelayed: 0 })
})

t.test('a stranger’s packets are not relayed', async (t) => {
  const { caller, platform, callerPort, close } = await openCall(t)
  const stranger = await Party.open(t)
  for (const packet of packets(3)) caller.send(packet, callerPort)
  await platform.until(() => platform.heard.length === 3)
  for (const packet of packets(5, { ssrc: 66 })) stranger.send(packet, callerPort)
  const last = rtp({ sequenceNumber: 103, ssrc: 7 })
  caller.send(last, callerPort)
  await platform.until(() => platform.heard.length >= 4)
  t.same(platform.heard.slice(3), [last])
  const { streams } = await close()
  t.equal(streams[0]?.wrongSource, 5)
})

t.test('media goes back to where it comes from, not to an address behind NAT', async (t) => {
  const { caller, platform, callerPort, platformPort, update } = await openCall(t)
  const elsewhere = await Party.open(t)
  const behindNat = { ...plan('caller', caller), remote: { address: '192.0.2.9', port: 4000 } }
  await update([behindNat, plan('agent', platform)])
  let n = 0
  await until(() => {
    elsewhere.send(rtp({ sequenceNumber: n++, ssrc: 8 }), callerPort)
    return platform.heard.length > 0
  }, 20)
  const reply = rtp({ sequenceNumber: 1, ssrc: 9 })
  platform.send(reply, platformPort)
  await elsewhere.until(() => elsewhere.heard.length === 1)
  t.same(elsewhere.heard, [reply])
  t.same(caller.heard, [])
})

t.test('a re-offer with another address turns the other party’s media there at once', async (t) => {
  const { caller, platform, callerPort, platformPort, update } = await openCall(t)
  for (const packet of packets(2)) caller.send(packet, callerPort)
  await platform.until(() => platform.heard.length === 2)
  const moved = await Party.open(t)
  await update([plan('caller', moved), plan('agent', platform)])
  const reply = rtp({ sequenceNumber: 1, ssrc: 9 })
  platform.send(reply, platformPort)
  await moved.until(() => moved.heard.length === 1)
  t.same(moved.heard, [reply])
})

t.test('a held stream passes music on and records nothing of it', async (t) => {
  const { caller, platform, platformPort, update, close, ask } = await openCall(t)
  await ask({ kind: 'answered', recordingId: 'r1', answeredAtMs: Date.now() })
  await update([plan('caller', caller), { ...plan('agent', platform), isReceiving: false }])
  const music = packets(5, { ssrc: 9 })
  for (const packet of music) platform.send(packet, platformPort)
  await caller.until(() => caller.heard.length === 5)
  const { streams } = await close()
  t.match(streams[1], { relayed: 5, whileInactive: 5, placed: 0 })
})

t.test('RTCP passes between the parties, and the engine adds none of its own', async (t) => {
  const { caller, platform, callerPort, platformPort, close } = await openCall(t)
  const report = Buffer.from('80c90001000000070000', 'hex').subarray(0, 8)
  caller.sendControl(report, callerPort + 1)
  await platform.until(() => platform.heardControl.length === 1)
  t.same(platform.heardControl, [report])
  platform.sendControl(report, platformPort + 1)
  await caller.until(() => caller.heardControl.length === 1)
  t.same(caller.heardControl, [report])
  const { streams } = await close()
  t.match(streams[0], { rtcp: 1, relayed: 1 })
})

t.test('what comes before the platform has an address is counted, not kept', async (t) => {
  const { caller, callerPort, close } = await openCall(t, { isPlatformKnown: false })
  for (const packet of packets(3)) caller.send(packet, callerPort)
  const { streams } = await close()
  t.equal(streams[0]?.unrelayed, 3)
})

t.test('the parties hear each other on when the file cannot be written', async (t) => {
  const { caller, platform, callerPort, notices, ask, close } = await openCall(t, {
    openSink: () => {
      throw new Error('the disk is gone')
    },
  })
  await ask({ kind: 'answered', recordingId: 'r1', answeredAtMs: Date.now() })
  let sent = 0
  const stopped = () => notices.find(({ kind }) => kind === 'recordingStopped')
  for (; stopped() === undefined && sent < 200; sent++) {
    caller.send(rtp({ sequenceNumber: sent, timestamp: sent * 160, ssrc: 7 }), callerPort)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.match(stopped(), { kind: 'recordingStopped', recordingId: 'r1', code: 'engine_failed' })
  for (const packet of packets(5, { ssrc: 7 })) caller.send(packet, callerPort)
  await platform.until(() => platform.heard.length >= sent + 1)
  const outcome = await close()
  t.match(outcome, { verdict: 'failed', reasons: ['engine_failed'] })
  t.equal(outcome.streams[0]?.unrelayed, 0)
})

t.test('an announcement is played to the caller at its own pace and ends', async (t) => {
  const { caller, ask } = await openCall(t)
  const samples = Int16Array.from({ length: 800 }, (_, at) => 9000 * Math.sin(at / 3))
  const file = join(t.testdir(), 'recorded.wav')
  writeFileSync(file, wav(samples))
  const format = { payloadType: 0, codec: 'PCMU', clockRate: 8000 } as const
  const play = { kind: 'play', recordingId: 'r1', streamId: 'caller', file, format } as const
  t.equal((await ask(play)).kind, 'done')
  await caller.until(() => caller.heard.length === 5)
  const sent = Buffer.concat(caller.heard.map((packet) => packet.subarray(12)))
  t.same(sent, Buffer.from(samples.map((sample) => g711Encoding('PCMU')[sample & 0xffff] ?? 0)))
  t.same(
    caller.heard.map((packet) => (packet[1] ?? 0) >> 7),
    [1, 0, 0, 0, 0],
  )
  const first = caller.heard[0]?.readUInt32BE(4) ?? 0
  t.same(
    caller.heard.map((packet) => (packet.readUInt32BE(4) - first) >>> 0),
    [0, 160, 320, 480, 640],
  )
})

t.test('an announcement can be cut off, and a file that is none is refused', async (t) => {
  const { caller, ask } = await openCall(t)
  const folder = t.testdir({ 'none.wav': 'RIFF....WAVE' })
  const file = join(folder, 'long.wav')
  writeFileSync(file, wav(new Int16Array(80_000)))
  const format = { payloadType: 0, codec: 'PCMU', clockRate: 8000 } as const
  const playing = ask({ kind: 'play', recordingId: 'r1', streamId: 'caller', file, format })
  await caller.until(() => caller.heard.length >= 2)
  await ask({ kind: 'hush', recordingId: 'r1', streamId: 'caller' })
  t.equal((await playing).kind, 'done')
  t.ok(caller.heard.length < 400)
  for (const name of ['none.wav', 'absent.wav']) {
    const path = join(folder, name)
    const refused = await ask({
      kind: 'play',
      recordingId: 'r1',
      streamId: 'caller',
      file: path,
      format,
    })
    t.match(refused, { kind: 'refused', code: 'unreadable_sound' })
  }
})

t.test('every value is encoded as the nearest that the codec has', (t) => {
  for (const codec of ['PCMU', 'PCMA'] as const) {
    const table = g711Table(codec)
    const encoding = g711Encoding(codec)
    const far: number[] = []
    for (let value = -32_768; value <= 32_767; value += 101) {
      const nearest = Math.min(...Array.from(table, (candidate) => Math.abs(candidate - value)))
      const distance = Math.abs((table[encoding[value & 0xffff] ?? 0] ?? 0) - value)
      if (distance !== nearest) far.push(value)
    }
    t.same(far, [], codec)
  }
  t.end()
})

function wav(samples: Int16Array): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + samples.byteLength, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt32LE(16_000, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(samples.byteLength, 40)
  return Buffer.concat([header, Buffer.from(samples.buffer)])
}
