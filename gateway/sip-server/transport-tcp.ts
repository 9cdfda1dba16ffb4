import { connect, createServer, isIP, type Server, type Socket } from 'node:net'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { SipServerLimits } from './limits.ts'
import { bindFailure } from './listen-failure.ts'
import { localAddressToward } from './local-address.ts'
import { StreamConnection } from './stream-connection.ts'
import type { Peer, SipTransport, TransportEvents } from './transport.ts'

const SWEEP_MS = 1_000

/** SIP over TCP: accepts connections, opens them to peers, and uses one that is open again. */
export class TcpTransport implements SipTransport {
  readonly name = 'tcp'
  readonly isReliable = true
  readonly host: string
  readonly #askedPort: number
  readonly #limits: SipServerLimits
  readonly #events: TransportEvents
  readonly #clock: Clock
  readonly #log: Log
  readonly #server: Server
  readonly #open = new Map<number, StreamConnection>()
  /** The newest connection to each remote address and port. */
  readonly #byAddress = new Map<string, StreamConnection>()
  #sweep: Timer | undefined
  #port = 0
  #lastId = 0
  #isClosed = false

  constructor(options: {
    readonly host: string
    readonly port: number
    readonly limits: SipServerLimits
    readonly events: TransportEvents
    readonly clock: Clock
    readonly log: Log
  }) {
    this.host = options.host
    this.#askedPort = options.port
    this.#limits = options.limits
    this.#events = options.events
    this.#clock = options.clock
    this.#log = options.log
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      if (this.#open.size >= this.#limits.maxConnections) socket.destroy()
      else this.#adopt(socket, socket.remoteAddress ?? '', socket.remotePort ?? 0)
    })
  }

  get port(): number {
    return this.#port
  }

  get connections(): number {
    return this.#open.size
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => {
        reject(bindFailure('tcp', { host: this.host, port: this.#askedPort }, error))
      })
      this.#server.listen({ host: this.host, port: this.#askedPort, ipv6Only: true }, resolve)
    })
    this.#server.removeAllListeners('error')
    this.#server.on('error', (error) => this.#log.warn({ error }, 'SIP stream listener failed'))
    const address = this.#server.address()
    if (address !== null && typeof address !== 'string') this.#port = address.port
    this.#sweep = this.#clock.every(SWEEP_MS, () => {
      for (const connection of this.#open.values()) connection.checkTime()
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#sweep?.cancel()
    const isClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await Promise.all([...this.#open.values()].map((connection) => connection.finish()))
    await isClosed
  }

  peerAt(host: string, port: number): Peer {
    const open = this.#byAddress.get(addressKey(host, port))
    return {
      transport: this,
      host,
      port,
      connectionId: open?.id,
      localHost: open?.localHost ?? localAddressToward(host, this.host),
      localPort: this.#port,
    }
  }

  send(text: string, peer: Peer, onFailure: (reason: string) => void): void {
    const connection =
      peer.connectionId === undefined
        ? (this.#byAddress.get(addressKey(peer.host, peer.port)) ?? this.#connect(peer))
        : this.#open.get(peer.connectionId)
    if (connection === undefined) setImmediate(onFailure, 'there is no connection')
    else connection.write(text, onFailure)
  }

  isConnected(peer: Peer): boolean {
    return peer.connectionId !== undefined && this.#open.has(peer.connectionId)
  }

  disconnect(peer: Peer): void {
    if (peer.connectionId !== undefined) this.#open.get(peer.connectionId)?.finishSending()
  }

  #connect(peer: Peer): StreamConnection | undefined {
    if (this.#isClosed || this.#open.size >= this.#limits.maxConnections) return undefined
    const isWildcard = this.host === '0.0.0.0' || this.host === '::'
    const socket = connect({
      host: peer.host,
      port: peer.port,
      noDelay: true,
      keepAlive: true,
      ...(isWildcard || isIP(this.host) !== isIP(peer.host) ? {} : { localAddress: this.host }),
    })
    return this.#adopt(socket, peer.host, peer.port)
  }

  #adopt(socket: Socket, host: string, port: number): StreamConnection {
    this.#lastId += 1
    const id = this.#lastId
    const remoteHost = host.replace(/^::ffff:(?=\d+\.)/, '')
    const key = addressKey(remoteHost, port)
    const connection = new StreamConnection({
      id,
      socket,
      limits: this.#limits,
      clock: this.#clock,
      onReceived: (received) => {
        this.#events.onReceived(received, {
          transport: this,
          host: remoteHost,
          port,
          connectionId: id,
          localHost: connection.localHost ?? this.host,
          localPort: this.#port,
        })
      },
      onClosed: () => {
        this.#open.delete(id)
        if (this.#byAddress.get(key) === connection) this.#byAddress.delete(key)
        this.#events.onDisconnected(this, remoteHost, port)
      },
    })
    this.#open.set(id, connection)
    this.#byAddress.set(key, connection)
    return connection
  }
}

function addressKey(host: string, port: number): string {
  return `${host} ${port}`
}
