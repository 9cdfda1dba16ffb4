import { isIP, type Server, type Socket } from 'node:net'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Door } from './door.ts'
import type { SipServerLimits } from './limits.ts'
import { bindFailure } from './listen-failure.ts'
import { localAddressToward } from './local-address.ts'
import { SourceCounts } from './source-counts.ts'
import { sourceKey } from './source-key.ts'
import type { StreamCarrier } from './stream-carrier.ts'
import { StreamConnection } from './stream-connection.ts'
import { StreamTable } from './stream-table.ts'
import type { CutOffReason, Peer, SipTransport, TransportEvents } from './transport.ts'

/** How often connections' times are looked at: what is cut off in time is so within half a second of it. */
const SWEEP_MS = 500

/** SIP over TCP or TLS: accepts connections, opens them to peers, and uses one that is open again. */
export class StreamTransport implements SipTransport {
  readonly isReliable = true
  readonly host: string
  readonly #askedPort: number
  readonly #carrier: StreamCarrier
  readonly #limits: SipServerLimits
  readonly #events: TransportEvents
  readonly #door: Door
  readonly #opened = new SourceCounts()
  readonly #clock: Clock
  readonly #log: Log
  readonly #server: Server
  readonly #streams: StreamTable
  #sweep: Timer | undefined
  #port = 0
  #lastId = 0
  #isClosed = false

  constructor(options: {
    readonly host: string
    readonly port: number
    readonly carrier: StreamCarrier
    readonly limits: SipServerLimits
    readonly events: TransportEvents
    readonly door: Door
    readonly clock: Clock
    readonly log: Log
  }) {
    this.host = options.host
    this.#askedPort = options.port
    this.#carrier = options.carrier
    this.#limits = options.limits
    this.#events = options.events
    this.#door = options.door
    this.#clock = options.clock
    this.#log = options.log
    this.#streams = new StreamTable((proven, wanted) => this.#carrier.isKnownBy(proven, wanted))
    this.#server = options.carrier.createServer({
      onOpened: (socket) => this.#letIn(socket),
      onSocket: (socket, names) => this.#accept(socket, names),
      onRefused: (reason, why) => this.#refused(reason, why),
    })
    // Connections whose handshake is under way count as well.
    this.#server.maxConnections = options.limits.maxConnections
    this.#server.on('drop', () => this.#events.onCutOff(this, 'too_many'))
  }

  get name(): 'tcp' | 'tls' {
    return this.#carrier.name
  }

  get port(): number {
    return this.#port
  }

  get connections(): number {
    return this.#streams.size
  }

  async start(): Promise<void> {
    await this.#carrier.start()
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => {
        reject(bindFailure(this.name, { host: this.host, port: this.#askedPort }, error))
      })
      const isV6 = isIP(this.host) === 6
      this.#server.listen({ host: this.host, port: this.#askedPort, ipv6Only: isV6 }, resolve)
    })
    this.#server.removeAllListeners('error')
    this.#server.on('error', (error) => this.#log.warn({ error }, 'SIP stream listener failed'))
    const address = this.#server.address()
    if (address !== null && typeof address !== 'string') this.#port = address.port
    this.#sweep = this.#clock.every(SWEEP_MS, () => {
      for (const connection of this.#streams.all()) connection.checkTime()
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#sweep?.cancel()
    this.#carrier.close()
    const isClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await Promise.all(this.#streams.all().map((connection) => connection.finish()))
    await isClosed
  }

  peerAt(host: string, port: number, names: readonly string[] = []): Peer {
    const open = this.#streams.find({ host, port, names })
    return {
      transport: this,
      host,
      port,
      connectionId: open?.id,
      localHost: open?.localHost ?? localAddressToward(host, this.host),
      localPort: this.#port,
      names,
    }
  }

  send(text: string, peer: Peer, onFailure: (reason: string) => void): void {
    const connection =
      peer.connectionId === undefined
        ? (this.#streams.find(peer) ?? this.#connect(peer))
        : this.#streams.get(peer.connectionId)
    if (connection === undefined) setImmediate(onFailure, 'there is no connection')
    else connection.write(text, onFailure)
  }

  namesAt(host: string, port: number): readonly string[] {
    return this.#streams.at({ host, port })?.names ?? []
  }

  isConnected(peer: Peer): boolean {
    return peer.connectionId !== undefined && this.#streams.get(peer.connectionId) !== undefined
  }

  disconnect(peer: Peer): void {
    if (peer.connectionId !== undefined) this.#streams.get(peer.connectionId)?.finishSending()
  }

  alias(peer: Peer, port: number): void {
    if (peer.connectionId !== undefined) this.#streams.alias(peer.connectionId, port)
  }

  #accept(socket: Socket, names: readonly string[]): void {
    const host = remoteHostOf(socket)
    const { remotePort: port } = socket
    // A peer that is gone already has no address.
    if (this.#isClosed || host === undefined || port === undefined) socket.destroy()
    else if (this.#door.isShut({ host, transport: this.name, names }))
      this.#shutOut(socket, 'banned')
    else this.#adopt(socket, { host, port, names, direction: 'in' })
  }

  /** Looks at who connects before anything else does; false where it goes no further. */
  #letIn(socket: Socket): boolean {
    const host = remoteHostOf(socket)
    if (host === undefined) {
      socket.destroy()
      return false
    }
    const names = this.name === 'tls' ? undefined : []
    if (this.#door.isShut({ host, transport: this.name, names })) {
      return this.#shutOut(socket, 'banned')
    }
    const source = sourceKey(host)
    if (this.#opened.of(source) >= this.#limits.maxConnectionsPerSource) {
      return this.#shutOut(socket, 'too_many_from_source')
    }
    this.#opened.add(source)
    socket.once('close', () => this.#opened.remove(source))
    return true
  }

  #shutOut(socket: Socket, reason: CutOffReason): false {
    this.#events.onCutOff(this, reason)
    socket.destroy()
    return false
  }

  #connect(peer: Peer): StreamConnection | undefined {
    if (this.#isClosed) return undefined
    if (this.#streams.size >= this.#limits.maxConnections) {
      this.#events.onCutOff(this, 'too_many')
      return undefined
    }
    const { host, port, names } = peer
    const isWildcard = this.host === '0.0.0.0' || this.host === '::'
    const isBound = !isWildcard && isIP(this.host) === isIP(host)
    const localAddress = isBound ? this.host : undefined
    const socket = this.#carrier.connect(
      { host, port, localAddress, names },
      {
        onReady: (proven) => connection.ready(proven),
        onRefused: (reason, why) => this.#refused(reason, why),
      },
    )
    const connection = this.#adopt(socket, { host, port, names, direction: 'out' })
    return connection
  }

  #adopt(
    socket: Socket,
    at: {
      readonly host: string
      readonly port: number
      readonly names: readonly string[]
      readonly direction: 'in' | 'out'
    },
  ): StreamConnection {
    this.#lastId += 1
    const { host, port, names, direction } = at
    const connection = new StreamConnection({
      id: this.#lastId,
      socket,
      names,
      direction,
      limits: this.#limits,
      clock: this.#clock,
      events: {
        onReady: () => this.#events.onConnected(this, direction),
        onReceived: (received) => {
          this.#events.onReceived(received, this.#peerOn(connection, host, port))
        },
        onCutOff: (reason) => this.#events.onCutOff(this, reason),
        onClosed: () => {
          this.#streams.remove(connection)
          this.#events.onDisconnected(this, host, port)
        },
      },
    })
    this.#streams.add(connection, { host, port })
    if (direction === 'in') connection.ready(names)
    return connection
  }

  #peerOn(connection: StreamConnection, host: string, port: number): Peer {
    return {
      transport: this,
      host,
      port,
      connectionId: connection.id,
      localHost: connection.localHost ?? this.host,
      localPort: this.#port,
      names: connection.names,
    }
  }

  #refused(reason: CutOffReason, why: string): void {
    this.#log.info({ transport: this.name, reason, why }, 'SIP connection refused')
    this.#events.onCutOff(this, reason)
  }
}

/** Without the prefix that an IPv4 address has on a socket of both families. */
function remoteHostOf(socket: Socket): string | undefined {
  return socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '')
}
