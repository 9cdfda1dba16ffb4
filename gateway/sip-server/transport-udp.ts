import { createSocket, type Socket } from 'node:dgram'
import { isIP } from 'node:net'
import type { Log } from '../../base/log.ts'
import type { Door } from './door.ts'
import type { SipServerLimits } from './limits.ts'
import { bindFailure } from './listen-failure.ts'
import { localAddressToward } from './local-address.ts'
import { readDatagram } from './read-datagram.ts'
import type { Peer, SipTransport, TransportEvents } from './transport.ts'

/** SIP over UDP: one message a datagram (RFC 3261 §18). */
export class UdpTransport implements SipTransport {
  readonly name = 'udp'
  readonly isReliable = false
  readonly connections = 0
  readonly host: string
  readonly #askedPort: number
  readonly #limits: SipServerLimits
  readonly #events: TransportEvents
  readonly #door: Door
  readonly #log: Log
  readonly #socket: Socket
  /** Local addresses by peer address, for a socket that is bound to all. */
  readonly #localHosts = new Map<string, string>()
  #port = 0
  #isClosed = false

  constructor(options: {
    readonly host: string
    readonly port: number
    readonly limits: SipServerLimits
    readonly events: TransportEvents
    readonly door: Door
    readonly log: Log
  }) {
    this.host = options.host
    this.#askedPort = options.port
    this.#limits = options.limits
    this.#events = options.events
    this.#door = options.door
    this.#log = options.log
    this.#socket = createSocket({
      type: isIP(options.host) === 6 ? 'udp6' : 'udp4',
      // `::` and `0.0.0.0` can then be listened on side by side, and no address is of both families.
      ipv6Only: isIP(options.host) === 6,
      recvBufferSize: options.limits.receiveBufferBytes,
    })
  }

  get port(): number {
    return this.#port
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', (error) => {
        reject(bindFailure('udp', { host: this.host, port: this.#askedPort }, error))
      })
      this.#socket.bind({ address: this.host, port: this.#askedPort }, resolve)
    })
    this.#port = this.#socket.address().port
    this.#socket.removeAllListeners('error')
    this.#socket.on('error', (error) => this.#log.warn({ error }, 'SIP datagram socket failed'))
    this.#socket.on('message', (datagram, source) => {
      if (this.#door.isShut({ host: source.address, transport: 'udp', names: [] })) {
        this.#events.onShutOut()
        return
      }
      this.#events.onReceived(
        readDatagram(datagram.toString('latin1'), this.#limits),
        this.#peer(source.address, source.port),
      )
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await new Promise<void>((resolve) => this.#socket.close(resolve))
  }

  peerAt(host: string, port: number): Peer {
    return this.#peer(host, port)
  }

  send(text: string, peer: Peer, onFailure: (reason: string) => void): void {
    if (this.#isClosed) {
      setImmediate(onFailure, 'the socket is closed')
      return
    }
    this.#socket.send(Buffer.from(text, 'latin1'), peer.port, peer.host, (error) => {
      if (error) onFailure(error.message)
    })
  }

  namesAt(): readonly string[] {
    return []
  }

  isConnected(): boolean {
    return !this.#isClosed
  }

  disconnect(): void {}

  alias(): void {}

  #peer(host: string, port: number): Peer {
    let localHost = this.#localHosts.get(host)
    if (localHost === undefined) {
      localHost = localAddressToward(host, this.host)
      if (this.#localHosts.size > 1_000) this.#localHosts.clear()
      this.#localHosts.set(host, localHost)
    }
    const connectionId = undefined
    const names: readonly string[] = []
    return { transport: this, host, port, connectionId, localHost, localPort: this.#port, names }
  }
}
