import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { SystemClock } from '../../../../base/clock.ts'
import { createSilentLog } from '../../../../base/log.ts'
import { SipConnection } from '../../../../gateway/sip/sip-connection.ts'
import type { SipDialog, SipRequest, SipResponse } from '../../../../gateway/sip/sip-surface.ts'
import { SipServer } from '../../../../gateway/sip-server/sip-server.ts'
import { type ForkFault, StandInFork } from './stand-in-fork.ts'

const PASSWORD = 'stand-in'
const TONES = [440, 1000] as const
/** As the real one takes: what is said until then is thrown away. */
const BRIDGE_MS = 60
const KEY = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
const FORMATS = [
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:101 telephone-event/8000',
]

interface Channel {
  readonly uuid: string
  /** The user that called it. */
  readonly caller: string
  readonly port: number
  localSdp: string
  /** What it was offered last. */
  remoteSdp: string
  readonly forks: Map<string, StandInFork>
  /** The connection to whoever controls the channel. */
  control: Socket
  dialog: SipDialog | undefined
  bridgedTo: string | undefined
  /** A party that only sends counts as one that holds the call, unless the channel is told otherwise. */
  knowsHold: boolean
}

/**
 * A FreeSWITCH as the gateway sees it: its event socket, a SIP profile that takes endpoints, and mod_audio_fork.
 * No RTP: the forks carry tones, a mono one that of its endpoint's turn.
 */
export class StandInFreeswitch {
  readonly address: { readonly host: string; readonly port: number; readonly password: string }
  readonly channels = new Map<string, Channel>()
  /** What the next forks do. */
  readonly faults: ForkFault[] = []
  /** URLs that forks were started with. */
  readonly urls: string[] = []
  isHung = false
  /** Channels that nobody controls, and the number that called each. */
  readonly leftovers = new Map<string, string>()
  readonly #eventSockets = new Set<Socket>()
  readonly #server: Server
  readonly #sip: SipServer
  readonly #connection: SipConnection
  readonly #sockets = new Set<Socket>()
  #nextPort = 40_000

  private constructor(server: Server, sip: SipServer, connection: SipConnection, sipPort: number) {
    const listening = server.address()
    const port = typeof listening === 'object' && listening !== null ? listening.port : 0
    this.address = { host: '127.0.0.1', port, password: PASSWORD }
    this.#server = server
    this.#sip = sip
    this.#connection = connection
    server.on('connection', (socket) => this.#inbound(socket, sipPort))
    connection.framework.invite((request, response) => void this.#invited(request, response))
  }

  static async start(): Promise<StandInFreeswitch> {
    const clock = new SystemClock()
    const log = createSilentLog()
    const sip = new SipServer({
      listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
      clock,
      log,
    })
    const { admin, sip: listening } = await sip.start()
    const connection = new SipConnection({ address: admin, clock, log })
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const made = new StandInFreeswitch(server, sip, connection, listening[0]?.port ?? 0)
    await connection.start()
    return made
  }

  /** The process is gone: every connection breaks, and no BYE is said. */
  die(): void {
    this.#server.close()
    for (const { forks } of this.channels.values())
      for (const fork of forks.values()) fork.terminate()
    for (const socket of this.#sockets) socket.destroy()
    this.channels.clear()
  }

  /** The connections that gateways made break; those that it made itself stay. */
  dropEventSockets(): void {
    for (const socket of this.#eventSockets) socket.destroy()
  }

  /** Hangs a channel up; false where there is none. */
  kill(uuid: string): boolean {
    const channel = this.channels.get(uuid)
    if (channel === undefined) return false
    void channel.dialog?.destroy().catch(() => undefined)
    this.#end(channel)
    return true
  }

  async close(): Promise<void> {
    this.die()
    this.#connection.close()
    await this.#sip.close()
  }

  /** Ends one call by itself. */
  hangUp(): void {
    const [channel] = this.channels.values()
    if (channel === undefined) return
    void channel.dialog?.destroy().catch(() => undefined)
    this.#end(channel)
  }

  /** What mod_audio_fork says where its buffer ran over. */
  overrun(): void {
    for (const channel of this.channels.values()) this.#custom(channel, 'buffer_overrun')
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #inbound(socket: Socket, sipPort: number): void {
    this.#track(socket)
    this.#eventSockets.add(socket)
    socket.on('close', () => this.#eventSockets.delete(socket))
    socket.write('Content-Type: auth/request\n\n')
    commandsOf(socket, ([line = '']) => {
      if (this.isHung) return
      const [verb, ...rest] = line.split(' ')
      if (verb === 'auth')
        return reply(socket, rest[0] === PASSWORD ? '+OK accepted' : '-ERR invalid')
      if (verb !== 'api') return reply(socket, '+OK')
      answer(socket, this.#serverApi(rest.join(' '), sipPort))
    })
  }

  #serverApi(command: string, sipPort: number): string {
    if (command === 'sofia status') {
      return `drachtio_mrf\tprofile\tsip:mod_sofia@127.0.0.1:${sipPort}\tRUNNING (0)\n`
    }
    if (command === 'show channels as json') {
      const own = [...this.channels.values()].map(({ uuid, caller }) => ({ uuid, cid_num: caller }))
      const left = [...this.leftovers].map(([uuid, caller]) => ({ uuid, cid_num: caller }))
      const rows = [...own, ...left]
      return JSON.stringify({ row_count: rows.length, ...(rows.length > 0 && { rows }) })
    }
    const [verb, uuid = ''] = command.split(' ')
    if (verb !== 'uuid_kill') return 'UP 0 years\n'
    return this.kill(uuid) || this.leftovers.delete(uuid) ? '+OK\n' : '-ERR No such channel!\n'
  }

  async #invited(request: SipRequest, response: SipResponse): Promise<void> {
    if (this.isHung) return
    const uuid = randomUUID()
    const port = this.#nextPort
    const remoteSdp = request.body ?? ''
    const localSdp = remoteSdp === '' ? ownOffer(port) : answerTo(remoteSdp, port)
    if (localSdp === undefined) return response.send(488, 'Not Acceptable Here', {})
    this.#nextPort += 2
    const [host = '', controlPort = '0'] = (request.get('X-esl-outbound') ?? '').split(':')
    const control = createConnection({ host, port: Number(controlPort) })
    this.#track(control)
    const channel: Channel = {
      uuid,
      caller: /sip:([^@>]+)@/.exec(request.get('From') ?? '')?.[1] ?? '',
      port,
      localSdp,
      remoteSdp,
      forks: new Map(),
      control,
      dialog: undefined,
      bridgedTo: undefined,
      knowsHold: true,
    }
    this.channels.set(uuid, channel)
    this.#connection.framework.createUAS(
      request,
      response,
      { localSdp, headers: { 'Content-Type': 'application/sdp' } },
      (_failure, dialog) => {
        channel.dialog = dialog
        dialog?.on('modify', (modified, answering) => this.#modified(channel, modified, answering))
        dialog?.on('destroy', () => this.#end(channel))
      },
    )
    commandsOf(control, (lines) => this.#command(channel, lines, request))
  }

  #modified(channel: Channel, request: SipRequest, response: SipResponse): void {
    if (this.isHung) return
    const remoteSdp = request.body ?? ''
    const localSdp = answerTo(remoteSdp, channel.port)
    if (localSdp === undefined) {
      response.send(488, 'Not Acceptable Here', {})
      return
    }
    const isHeld = channel.knowsHold && /^a=(sendonly|inactive)/m.test(remoteSdp)
    if (isHeld && channel.bridgedTo === undefined)
      for (const fork of channel.forks.values()) fork.mute()
    channel.remoteSdp = remoteSdp
    channel.localSdp = localSdp
    response.send(200, 'OK', { body: localSdp })
  }

  #command(channel: Channel, lines: readonly string[], invite: SipRequest): void {
    const { control } = channel
    if (this.isHung) return
    const [line = ''] = lines
    if (line === 'connect') introduce(channel, invite)
    else if (line.startsWith('api ')) answer(control, this.#api(channel, line.split(' ').slice(1)))
    else reply(control, '+OK')
    if (!line.startsWith('sendmsg')) return
    const app = /^execute-app-name: (.*)$/m.exec(lines.join('\n'))?.[1]
    if (app !== 'hangup') return
    void channel.dialog?.destroy().catch(() => undefined)
    this.#end(channel)
  }

  #api(channel: Channel, [command, uuid = '', ...args]: readonly string[]): string {
    if (command === 'uuid_bridge') {
      channel.bridgedTo = args[0]
      setTimeout(() => this.#tell(channel, ['Event-Name: CHANNEL_BRIDGE']), BRIDGE_MS)
      return `+OK ${args[0]}\n`
    }
    if (command === 'uuid_setvar') {
      if (args.join(' ') === 'rtp_disable_hold true') channel.knowsHold = false
      return '+OK\n'
    }
    if (command === 'uuid_dump')
      return `variable_rtp_local_sdp_str: ${encodeURIComponent(channel.localSdp)}\n`
    if (command !== 'uuid_audio_fork') return '+OK\n'
    const [verb, ...rest] = args
    if (verb === 'resume') return channel.forks.has(rest[0] ?? '') ? '+OK\n' : '-ERR\n'
    if (verb === 'stop') {
      const [bug = ''] = rest
      const fork = channel.forks.get(bug)
      fork?.stop()
      channel.forks.delete(bug)
      return fork === undefined ? '-ERR Operation Failed\n' : '+OK Success\n'
    }
    const [url = '', mix, , bug = '', metadata = ''] = rest
    // The server's first channel only tells its codecs.
    const turn = (channel.port / 2 + 1) % TONES.length
    const hertz = mix === 'stereo' ? TONES : TONES.slice(turn, turn + 1)
    if (channel.forks.has(bug) || uuid !== channel.uuid) return '-ERR Operation Failed\n'
    this.urls.push(url)
    const fault = this.faults.shift() ?? 'none'
    const onEvent = (name: string) => this.#custom(channel, name)
    channel.forks.set(bug, new StandInFork({ url, metadata, hertz, fault, onEvent }))
    return '+OK Success\n'
  }

  #custom(channel: Channel, name: string): void {
    this.#tell(channel, ['Event-Name: CUSTOM', `Event-Subclass: mod_audio_fork%3A%3A${name}`])
  }

  #tell({ control, uuid }: Channel, lines: readonly string[]): void {
    const event = [...lines, `Unique-ID: ${uuid}`, '', ''].join('\n')
    if (!control.destroyed) {
      control.write(`Content-Length: ${event.length}\nContent-Type: text/event-plain\n\n${event}`)
    }
  }

  #end(channel: Channel): void {
    for (const fork of channel.forks.values()) fork.stop()
    this.channels.delete(channel.uuid)
    channel.control.end('Content-Type: text/disconnect-notice\nContent-Length: 0\n\n')
  }
}

/** The channel's data, as the answer to `connect`. */
function introduce({ control, uuid, localSdp }: Channel, invite: SipRequest): void {
  control.write(
    [
      'Event-Name: CHANNEL_DATA',
      `Unique-ID: ${uuid}`,
      `Channel-Unique-ID: ${uuid}`,
      `variable_sip_user_agent: ${encodeURIComponent(invite.get('User-Agent') ?? '')}`,
      `variable_rtp_local_sdp_str: ${encodeURIComponent(localSdp)}`,
      `variable_switch_r_sdp: ${encodeURIComponent(invite.body ?? '')}`,
      'Content-Type: command/reply',
      'Reply-Text: +OK',
      '',
      '',
    ].join('\n'),
  )
}

function commandsOf(socket: Socket, take: (lines: readonly string[]) => void): void {
  let pending = ''
  socket.on('data', (chunk) => {
    pending += chunk.toString()
    for (let end = pending.indexOf('\n\n'); end >= 0; end = pending.indexOf('\n\n')) {
      const command = pending.slice(0, end)
      pending = pending.slice(end + 2)
      take(command.split('\n'))
    }
  })
}

function reply(socket: Socket, text: string): void {
  socket.write(`Content-Type: command/reply\nReply-Text: ${text}\n\n`)
}

function answer(socket: Socket, body: string): void {
  socket.write(`Content-Type: api/response\nContent-Length: ${body.length}\n\n${body}`)
}

function sdp(media: readonly string[]): string {
  const session = ['v=0', 'o=FreeSWITCH 1 1 IN IP4 127.0.0.1', 's=FreeSWITCH', 'c=IN IP4 127.0.0.1']
  return `${[...session, 't=0 0', ...media].join('\r\n')}\r\n`
}

/** One codec of the offer's, keys of its own where it brings some; undefined where nothing of it can be taken. */
function answerTo(offer: string, port: number): string | undefined {
  const [, protocol = '', offered = ''] = /^m=audio \d+ RTP\/(\S+) (.*)$/m.exec(offer) ?? []
  const audio = offered.split(' ').find((format) => ['0', '8', '9'].includes(format.trim()))
  const isSecure = protocol.toUpperCase().startsWith('SAVP')
  const key = /^a=crypto:(\d+) (AES_CM_128_HMAC_SHA1_80) /m.exec(offer)
  if (audio === undefined || isSecure !== (key !== null)) return undefined
  return sdp([
    `m=audio ${port} RTP/${isSecure ? 'SAVP' : 'AVP'} ${audio.trim()} 101`,
    ...FORMATS.filter((line) => line.startsWith(`a=rtpmap:${audio.trim()} `)),
    'a=rtpmap:101 telephone-event/8000',
    'a=ptime:20',
    ...(key === null ? [] : [`a=crypto:${key[1]} ${key[2]} inline:${KEY}`]),
    /^a=sendonly/m.test(offer) ? 'a=recvonly' : 'a=sendrecv',
  ])
}

/** Without an offer it makes one of its own, with a secure and a plain line on the same port. */
function ownOffer(port: number): string {
  return sdp([
    `m=audio ${port} RTP/SAVP 0 8 9 101`,
    ...FORMATS,
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`,
    `m=audio ${port} RTP/AVP 0 8 9 101`,
    ...FORMATS,
    'a=ptime:20',
  ])
}
