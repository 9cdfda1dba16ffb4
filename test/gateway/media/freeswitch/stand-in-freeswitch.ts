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
const FORMATS = [
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
]

interface Channel {
  readonly uuid: string
  /** The user that called it. */
  readonly caller: string
  readonly localSdp: string
  readonly forks: Map<string, StandInFork>
  /** The connection to whoever controls the channel. */
  control: Socket
  dialog: SipDialog | undefined
  bridgedTo: string | undefined
}

/**
 * A FreeSWITCH as the gateway sees it: its event socket, a SIP profile that takes endpoints, and mod_audio_fork.
 * No RTP: the forks carry tones.
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

  async close(): Promise<void> {
    this.die()
    this.#connection.close()
    await this.#sip.close()
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
    const channel = this.channels.get(uuid)
    if (channel !== undefined) this.#end(channel)
    return channel !== undefined || this.leftovers.delete(uuid)
      ? '+OK\n'
      : '-ERR No such channel!\n'
  }

  async #invited(request: SipRequest, response: SipResponse): Promise<void> {
    if (this.isHung) return
    const uuid = randomUUID()
    const localSdp = request.body ? answerSdp(this.#nextPort) : ownOffer(this.#nextPort)
    this.#nextPort += 2
    const [host = '', port = '0'] = (request.get('X-esl-outbound') ?? '').split(':')
    const control = createConnection({ host, port: Number(port) })
    this.#track(control)
    const channel: Channel = {
      uuid,
      caller: /sip:([^@>]+)@/.exec(request.get('From') ?? '')?.[1] ?? '',
      localSdp,
      forks: new Map(),
      control,
      dialog: undefined,
      bridgedTo: undefined,
    }
    this.channels.set(uuid, channel)
    this.#connection.framework.createUAS(
      request,
      response,
      { localSdp, headers: { 'Content-Type': 'application/sdp' } },
      (_failure, dialog) => {
        channel.dialog = dialog
        dialog?.on('modify', (_request, answering) =>
          answering.send(200, 'OK', { body: answerSdp(40_000) }),
        )
        dialog?.on('destroy', () => this.#end(channel))
      },
    )
    commandsOf(control, (lines) => this.#command(channel, lines, request))
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
      return `+OK ${args[0]}\n`
    }
    if (command === 'uuid_dump')
      return `variable_rtp_local_sdp_str: ${encodeURIComponent(channel.localSdp)}\n`
    if (command !== 'uuid_audio_fork') return '+OK\n'
    const [verb, ...rest] = args
    if (verb === 'stop') {
      const [bug = ''] = rest
      const fork = channel.forks.get(bug)
      fork?.stop()
      channel.forks.delete(bug)
      return fork === undefined ? '-ERR Operation Failed\n' : '+OK Success\n'
    }
    const [url = '', , , bug = '', metadata = ''] = rest
    if (channel.forks.has(bug) || uuid !== channel.uuid) return '-ERR Operation Failed\n'
    this.urls.push(url)
    const fault = this.faults.shift() ?? 'none'
    const onEvent = (name: string) => this.#custom(channel, name)
    channel.forks.set(bug, new StandInFork({ url, metadata, fault, onEvent }))
    return '+OK Success\n'
  }

  #custom({ control, uuid }: Channel, name: string): void {
    const event = [
      'Event-Name: CUSTOM',
      `Unique-ID: ${uuid}`,
      `Event-Subclass: mod_audio_fork%3A%3A${name}`,
      '',
      '',
    ].join('\n')
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

function answerSdp(port: number): string {
  const [pcmu = '', , events = ''] = FORMATS
  return sdp([`m=audio ${port} RTP/AVP 0 101`, pcmu, events, 'a=ptime:20', 'a=sendrecv'])
}

/** Without an offer it makes one of its own, with a secure and a plain line on the same port. */
function ownOffer(port: number): string {
  return sdp([
    `m=audio ${port} RTP/SAVP 0 8 101`,
    ...FORMATS,
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    `m=audio ${port} RTP/AVP 0 8 101`,
    ...FORMATS,
    'a=ptime:20',
  ])
}
