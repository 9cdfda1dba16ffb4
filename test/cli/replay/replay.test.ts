import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { CaptureNotes } from '../../../cli/replay/capture/capture-notes.ts'
import { describeSession } from '../../../cli/replay/describe-sessions.ts'
import { GatewayLinks } from '../../../cli/replay/gateway-links.ts'
import { MediaPorts } from '../../../cli/replay/media-ports.ts'
import { readCapture } from '../../../cli/replay/read-capture.ts'
import type { ReplaySession } from '../../../cli/replay/replay-session.ts'
import { SessionPlayer } from '../../../cli/replay/session-player.ts'
import { configSchema } from '../../../config/config.ts'
import { readRecordingRequest } from '../../../gateway/siprec/recording-session-request.ts'
import { rtp } from '../../recorder/rtp.ts'
import {
  type Address,
  type CapturedPacket,
  captureFile,
  ethernet,
  fragments,
  pcap,
  tcp,
  udp,
} from './captures.ts'

const CLIENT = { address: '198.51.100.5', port: 5060 }
const SERVER = { address: '192.0.2.10', port: 5060 }
const ALL = { sdpPath: undefined, chosen: undefined }

function sdp(address: string, ports: readonly number[], lines: readonly string[]): string {
  const media = ports.flatMap((port, index) => [
    `m=audio ${port} RTP/AVP 0 101`,
    'a=rtpmap:101 telephone-event/8000',
    ...lines,
    `a=label:${index + 1}`,
  ])
  return [
    'v=0',
    `o=x 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    ...media,
    '',
  ].join('\r\n')
}

function message(
  start: string,
  {
    cseq,
    toTag,
    headers = [],
    body = '',
  }: { cseq: string; toTag?: string; headers?: readonly string[]; body?: string },
): string {
  return [
    start,
    'Via: SIP/2.0/UDP 198.51.100.5:5060;branch=z9hG4bKcaptured',
    'From: <sip:+12025550147@198.51.100.5>;tag=src',
    `To: <sip:+12025550100@192.0.2.10>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    'Call-ID: captured-call@198.51.100.5',
    `CSeq: ${cseq}`,
    ...headers,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

const SDP_TYPE = 'Content-Type: application/sdp'
const CONTACT = 'Contact: <sip:src@198.51.100.5:5060;transport=tcp>;+sip.src'

function inviteText(): string {
  const body = [
    '--b1',
    'Content-Type: application/sdp',
    '',
    sdp('198.51.100.5', [16_390, 16_392], ['a=sendonly', 'a=rtcp:16999']),
    '--b1',
    'Content-Type: application/rs-metadata+xml',
    '',
    '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode></recording>',
    '--b1--',
    '',
  ].join('\r\n')
  return message('INVITE sip:rec@192.0.2.10:5060 SIP/2.0', {
    cseq: '101 INVITE',
    headers: ['Require: siprec', CONTACT, 'X-Site: 7', 'Content-Type: multipart/mixed;boundary=b1'],
    body,
  })
}

const ANSWER = message('SIP/2.0 200 OK', {
  cseq: '101 INVITE',
  toTag: 'srs',
  headers: ['Contact: <sip:rec@192.0.2.10>', SDP_TYPE],
  body: sdp('192.0.2.10', [20_000, 20_002], ['a=recvonly']),
})
const BYE = message('BYE sip:rec@192.0.2.10 SIP/2.0', { cseq: '103 BYE', toTag: 'srs' })
const REINVITE = message('INVITE sip:rec@192.0.2.10 SIP/2.0', {
  cseq: '102 INVITE',
  toTag: 'srs',
  headers: [CONTACT, SDP_TYPE],
  body: sdp('198.51.100.5', [16_390, 16_394], ['a=sendonly']),
})

/** A recording session of 400 ms: both streams, the second of them from another port half-way, and a key press. */
function session(
  write: (from: Address, to: Address, text: string, atMs: number) => CapturedPacket[],
): CapturedPacket[] {
  const packets = [
    ...write(CLIENT, SERVER, inviteText(), 1000),
    ...write(SERVER, CLIENT, ANSWER, 1050),
    ...write(CLIENT, SERVER, REINVITE, 1250),
    ...write(CLIENT, SERVER, BYE, 1450),
  ]
  for (let n = 0; n < 20; n++) {
    const atMs = 1060 + n * 20
    const second = n < 10 ? 16_392 : 16_394
    for (const [port, to, ssrc] of [
      [16_390, 20_000, 1],
      [second, 20_002, 2],
    ] as const) {
      const bytes = udp(
        { ...CLIENT, port },
        { ...SERVER, port: to },
        rtp({ sequenceNumber: n, timestamp: n * 160, ssrc }),
      )
      packets.push({ atMs, bytes: ethernet(bytes) })
    }
  }
  // What the server sends back is no media to be recorded.
  for (let n = 0; n < 10; n++) {
    packets.push({
      atMs: 1060 + n,
      bytes: ethernet(
        udp({ ...SERVER, port: 20_000 }, { ...CLIENT, port: 16_390 }, rtp({ sequenceNumber: n })),
      ),
    })
  }
  return packets.sort((a, b) => a.atMs - b.atMs)
}

const overUdp = (from: Address, to: Address, text: string, atMs: number) =>
  fragments(udp(from, to, Buffer.from(text, 'latin1')), 512, atMs).map((bytes) => ({
    atMs,
    bytes: ethernet(bytes),
  }))

function overTcp() {
  const sequences = new Map<string, number>()
  return (from: Address, to: Address, text: string, atMs: number) => {
    const all = Buffer.from(text, 'latin1')
    return Array.from({ length: Math.ceil(all.length / 400) }, (_, index) => {
      const payload = all.subarray(index * 400, (index + 1) * 400)
      const sequence = sequences.get(from.address) ?? 1000
      sequences.set(from.address, sequence + payload.length)
      return { atMs, bytes: ethernet(tcp(from, to, { sequence, payload })) }
    })
  }
}

function read(packets: readonly CapturedPacket[]) {
  return readCapture(captureFile(pcap(packets)), ALL)
}

t.test(
  'a recording session is read whole, over UDP in fragments and over TCP in pieces',
  async (t) => {
    for (const write of [overUdp, overTcp()]) {
      const { sessions, notes } = read(session(write))
      t.same(notes, [])
      t.equal(sessions.length, 1)
      t.match(sessions[0], {
        kind: 'recordingSession',
        call: {
          callId: 'captured-call@198.51.100.5',
          answeredAtMs: 1050,
          endedAtMs: 1450,
          from: '+12025550147',
        },
        startMs: 1050,
        endMs: 1450,
        obstacle: undefined,
        streams: [
          { from: { port: 16_390 }, facts: { packets: 20, lost: 0 } },
          { from: { port: 16_392 }, facts: { packets: 20, lost: 0 } },
        ],
      })
      t.same(
        sessions[0]?.call?.requests.map(({ message: { method } }) => method),
        ['INVITE', 'BYE'],
      )
    }
  },
)

t.test('what is shown of a session shows no number', async (t) => {
  const text = read(session(overUdp)).sessions.flatMap(describeSession).join('\n')
  t.match(text, /recording session from …47 to …00, 0:00/)
  t.match(text, /stream 1 {2}198\.51\.100\.5:16390 > 192\.0\.2\.10:20000 {2}PCMU/)
  t.notMatch(text, /2025550/)
})

t.test('a call that was no session becomes one, each party with its own media', async (t) => {
  const call = (text: string) => text.replace('Require: siprec\r\n', '').replaceAll('+sip.src', 'x')
  const packets: CapturedPacket[] = []
  const say = (from: Address, to: Address, text: string, atMs: number) =>
    packets.push(...overUdp(from, to, text, atMs))
  const offer = { headers: [SDP_TYPE], body: sdp('198.51.100.5', [16_390], []) }
  say(
    CLIENT,
    SERVER,
    call(message('INVITE sip:+12025550100@192.0.2.10 SIP/2.0', { cseq: '1 INVITE', ...offer })),
    1000,
  )
  say(
    SERVER,
    CLIENT,
    message('SIP/2.0 200 OK', {
      cseq: '1 INVITE',
      toTag: 'b',
      headers: [SDP_TYPE],
      body: sdp('192.0.2.10', [20_000], []),
    }),
    3000,
  )
  for (let n = 0; n < 20; n++) {
    const there = udp(
      { ...CLIENT, port: 16_390 },
      { ...SERVER, port: 20_000 },
      rtp({ sequenceNumber: n }),
    )
    const back = udp(
      { ...SERVER, port: 20_000 },
      { ...CLIENT, port: 16_390 },
      rtp({ sequenceNumber: n, ssrc: 9 }),
    )
    for (const bytes of [there, back]) packets.push({ atMs: 3000 + n * 20, bytes: ethernet(bytes) })
  }
  t.match(read(packets).sessions, [
    {
      kind: 'call',
      startMs: 3000,
      media: [
        { formats: [{ encoding: 'PCMU' }, { payloadType: 101 }] },
        { formats: [{ encoding: 'PCMU' }, {}] },
      ],
      streams: [
        { from: { ...CLIENT, port: 16_390 }, facts: { packets: 20 } },
        { from: { ...SERVER, port: 20_000 }, facts: { packets: 20 } },
      ],
    },
  ])
})

t.test('a call that nobody answered is told, and cannot be played', async (t) => {
  const invite = message('INVITE sip:+12025550100@192.0.2.10 SIP/2.0', {
    cseq: '1 INVITE',
    headers: [SDP_TYPE],
    body: sdp('198.51.100.5', [16_390], []),
  })
  const busy = message('SIP/2.0 486 Busy Here', { cseq: '1 INVITE', toTag: 'b' })
  t.equal(
    read([...overUdp(CLIENT, SERVER, invite, 1), ...overUdp(SERVER, CLIENT, busy, 2)]).sessions[0]
      ?.obstacle,
    'it was refused with 486',
  )
  t.equal(read(overUdp(CLIENT, SERVER, invite, 1)).sessions[0]?.obstacle, 'it was never answered')
})

/** A recording server that takes whatever comes and keeps it. */
class TakingServer {
  readonly requests: string[] = []
  readonly media = new Map<number, Buffer[]>()
  readonly #sip: Socket
  /** The same over TCP, at a port of its own. */
  readonly #streams = createServer((connection) => {
    let text = ''
    connection.on('data', (bytes) => {
      text += bytes.toString('latin1')
      for (;;) {
        const [head, length = ''] = /^[\s\S]*?Content-Length: (\d+)\r\n\r\n/.exec(text) ?? []
        if (head === undefined || text.length < head.length + Number(length)) return
        const request = text.slice(0, head.length + Number(length))
        text = text.slice(request.length)
        this.#answer(request, (answer) => connection.write(answer, 'latin1'))
      }
    })
  })
  readonly #rtp: Socket[] = []

  private constructor(sip: Socket) {
    this.#sip = sip
    sip.on('message', (datagram, { port }) =>
      this.#answer(datagram.toString('latin1'), (text) => sip.send(text, port)),
    )
  }

  static async open(t: Test): Promise<TakingServer> {
    const server = new TakingServer(createSocket('udp4'))
    for (let index = 0; index < 2; index++) server.#rtp.push(createSocket('udp4'))
    for (const socket of [server.#sip, ...server.#rtp]) {
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
      t.teardown(() => socket.close())
    }
    server.#streams.listen(0, '127.0.0.1')
    await once(server.#streams, 'listening')
    t.teardown(() => server.#streams.close())
    for (const [index, socket] of server.#rtp.entries()) {
      socket.on('message', (datagram, { port }) => {
        server.media.set(index, [...(server.media.get(index) ?? []), datagram])
        server.sources.add(port)
      })
    }
    return server
  }

  readonly sources = new Set<number>()

  get port(): number {
    return this.#sip.address().port
  }

  get tcpPort(): number {
    const address = this.#streams.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  #answer(text: string, send: (text: string) => void): void {
    this.requests.push(text)
    if (text.startsWith('ACK')) return
    const kept = text.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/.test(line))
    const ports = this.#rtp.map((socket) => socket.address().port)
    const isInvite = text.startsWith('INVITE')
    const body = isInvite ? sdp('127.0.0.1', ports, ['a=recvonly']) : ''
    send(
      [
        'SIP/2.0 200 OK',
        ...kept,
        'To: <sip:rec@127.0.0.1>;tag=taking',
        `Contact: <sip:rec@127.0.0.1:${this.port}>`,
        ...(isInvite ? [SDP_TYPE] : []),
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    )
  }
}

async function play(t: Test, played: ReplaySession, speed = 1) {
  const server = await TakingServer.open(t)
  const sip = {
    listen: [
      { transport: 'udp', host: '127.0.0.1', port: server.port },
      { transport: 'tcp', host: '127.0.0.1', port: server.tcpPort },
    ],
  }
  const links = await GatewayLinks.open([played], {
    transport: undefined,
    to: undefined,
    config: configSchema.parse({ sip }),
  })
  const link = links.linkOf(played)
  const ports = await MediaPorts.open('127.0.0.1', played.streams)
  t.teardown(() => {
    links.close()
    ports.close()
  })
  const player = new SessionPlayer({
    session: played,
    link,
    ports,
    speed,
    parties: { caller: '+12025550147', called: '+12025550100' },
    signal: new AbortController().signal,
  })
  return { server, outcome: await player.play() }
}

t.test('a session that was captured over TCP is played over TCP, to the end', async (t) => {
  const [captured] = read(session(overTcp())).sessions
  if (captured === undefined) throw new Error('no session')
  const { server, outcome } = await play(t, captured, 4)
  t.match(outcome, { sent: 40, early: 0, notes: [] })
  t.same(
    server.requests.map((text) => text.split(' ', 1)[0]),
    ['INVITE', 'ACK', 'INVITE', 'ACK', 'BYE'],
  )
  const [invite = ''] = server.requests
  t.match(invite, new RegExp(`^INVITE sip:rec@127\\.0\\.0\\.1:${server.tcpPort} SIP/2\\.0\r\n`))
  t.match(invite, /\r\nVia: SIP\/2\.0\/TCP 127\.0\.0\.1:\d+;branch=/)
  t.match(invite, /\r\nContact: <sip:src@127\.0\.0\.1:\d+;transport=tcp>;\+sip\.src\r\n/)
  t.equal(server.media.get(0)?.length, 20)
})

t.test(
  'what a gateway does not listen for goes over the other, unless that was asked for',
  async (t) => {
    const server = await TakingServer.open(t)
    const [captured] = read(session(overTcp())).sessions
    if (captured === undefined) throw new Error('no session')
    const listen = [{ transport: 'udp', host: '127.0.0.1', port: server.port }]
    const config = configSchema.parse({ sip: { listen } })
    const links = await GatewayLinks.open([captured], {
      transport: undefined,
      to: undefined,
      config,
    })
    t.same(links.names, [`127.0.0.1:${server.port} over UDP`])
    links.close()
    await t.rejects(GatewayLinks.open([captured], { transport: 'tcp', to: undefined, config }), {
      code: 'no_listener',
    })
    const to = { host: '127.0.0.1', port: server.tcpPort }
    const named = await GatewayLinks.open([captured], { transport: 'tcp', to, config })
    t.same(named.names, [`127.0.0.1:${server.tcpPort} over TCP`])
    named.close()
  },
)

t.test('links that were opened are closed where a later one cannot be', async (t) => {
  const server = createServer()
  const connection = once(server, 'connection')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  t.ok(typeof address === 'object' && address !== null)
  const port = typeof address === 'object' ? address?.port : undefined
  const sessions = [overTcp(), overUdp].map((write) => read(session(write)).sessions[0])
  const listen = [
    { transport: 'tcp', host: '127.0.0.1', port },
    { transport: 'udp', host: 'nowhere.invalid', port: 5060 },
  ]
  await t.rejects(
    GatewayLinks.open(
      sessions.filter((one) => one !== undefined),
      { transport: undefined, to: undefined, config: configSchema.parse({ sip: { listen } }) },
    ),
    { code: 'unusable_address' },
  )
  const [socket] = await connection
  socket.resume()
  await once(socket, 'end')
  socket.destroy()
  server.close()
})

t.test('a session is played from this machine’s addresses, with all else as it was', async (t) => {
  const [captured] = read(session(overUdp)).sessions
  if (captured === undefined) throw new Error('no session')
  const { server, outcome } = await play(t, captured)
  t.match(outcome, { sent: 40, early: 0, notes: [] })
  t.same(
    server.requests.map((text) => text.split(' ', 1)[0]),
    ['INVITE', 'ACK', 'INVITE', 'ACK', 'BYE'],
  )
  const [invite = '', , again = '', , bye = ''] = server.requests
  t.match(invite, new RegExp(`^INVITE sip:rec@127\\.0\\.0\\.1:${server.port} SIP/2\\.0\r\n`))
  t.match(invite, /\r\nX-Site: 7\r\n/)
  t.match(invite, /\r\nContact: <sip:src@127\.0\.0\.1:\d+>;\+sip\.src\r\n/)
  t.match(invite, /rs-metadata\+xml/)
  t.notMatch(invite, /captured|transport=tcp|16390|16392|16999/)
  const offered = readRecordingRequest(
    'multipart/mixed;boundary=b1',
    invite.slice(invite.indexOf('\r\n\r\n') + 4),
  ).sdp
  t.match(offered?.media, [{ address: '127.0.0.1' }, { address: '127.0.0.1' }])
  const renewed = readRecordingRequest(
    'application/sdp',
    again.slice(again.indexOf('\r\n\r\n') + 4),
  ).sdp
  t.equal(renewed?.media[0]?.port, offered?.media[0]?.port)
  t.not(renewed?.media[1]?.port, offered?.media[1]?.port, 'the second stream moved')
  t.match(bye, /\r\nTo: <sip:\+12025550100@192\.0\.2\.10>;tag=taking\r\n/)
  t.equal(server.media.get(0)?.length, 20)
  t.equal(server.media.get(1)?.length, 20)
  const ports = [offered?.media[0]?.port, offered?.media[1]?.port, renewed?.media[1]?.port]
  t.same([...server.sources].sort(), ports.toSorted())
  t.ok(server.media.get(0)?.[5]?.equals(rtp({ sequenceNumber: 5, timestamp: 800, ssrc: 1 })))
})

t.test('media alone is wrapped in a session, and is played as fast as asked', async (t) => {
  const packets = Array.from({ length: 1000 }, (_, n) => ({
    atMs: 1000 + n * 20,
    bytes: ethernet(
      udp(
        { ...CLIENT, port: 4000 },
        { ...SERVER, port: 5000 },
        rtp({ sequenceNumber: n, payloadType: 8 }),
      ),
    ),
  }))
  const [captured] = read(packets).sessions
  if (captured === undefined) throw new Error('no session')
  const begunMs = performance.now()
  const { server, outcome } = await play(t, captured, 100)
  t.ok(performance.now() - begunMs < 15_000, 'twenty seconds go by in less')
  t.match(outcome, { sent: 1000 })
  const [invite = ''] = server.requests
  t.match(invite, /\r\nX-Tallenne-Replay-Speed: 100\r\n/)
  t.match(invite, /\r\nm=audio \d+ RTP\/AVP 8\r\n/)
  t.match(invite, /aor="sip:\+12025550147@/)
})

t.test('notes count and name the first packet', async (t) => {
  const notes = new CaptureNotes()
  notes.add('is odd', 3)
  notes.add('is odd', 8)
  notes.add('is cut', 9)
  t.same(notes.lines, ['packet 3 is odd (and 1 more)', 'packet 9 is cut'])
})
