import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createConnection, type Socket as TcpSocket } from 'node:net'
import { type PeerMessage, parseMessage } from '../gateway/sip-peer.ts'
import { WAIT_MS } from '../until.ts'
import { Waiters } from '../waiters.ts'

interface Address {
  readonly host: string
  readonly port: number
}

/** Sends messages as they are, over UDP or one TCP connection, and keeps the responses. */
export class WireClient {
  readonly #udp: UdpSocket
  readonly #tcp: TcpSocket
  readonly #udpServer: Address
  readonly #received: PeerMessage[] = []
  #buffer = ''
  readonly #waiters = new Waiters()

  private constructor(udp: UdpSocket, tcp: TcpSocket, udpServer: Address) {
    this.#udp = udp
    this.#tcp = tcp
    this.#udpServer = udpServer
    udp.on('message', (bytes) => this.#take(bytes.toString('latin1')))
    tcp.on('data', (bytes) => {
      this.#buffer += bytes.toString('latin1')
      this.#takeFrames()
    })
  }

  static async open(servers: {
    readonly udp: Address
    readonly tcp: Address
  }): Promise<WireClient> {
    const udp = createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const tcp = createConnection({ ...servers.tcp, noDelay: true })
    await once(tcp, 'connect')
    return new WireClient(udp, tcp, servers.udp)
  }

  /** One character is one byte. */
  send(transport: 'udp' | 'tcp', text: string): void {
    const bytes = Buffer.from(text, 'latin1')
    if (transport === 'tcp') this.#tcp.write(bytes)
    else this.#udp.send(bytes, this.#udpServer.port, this.#udpServer.host)
  }

  /** The final response to a request; null where none comes within the time. */
  async finalResponse(callId: string, cseq: string, waitMs = WAIT_MS): Promise<PeerMessage | null> {
    const deadline = Date.now() + waitMs
    for (;;) {
      const at = this.#received.findIndex(
        ({ status, headers }) =>
          status >= 200 && headers.get('call-id') === callId && headers.get('cseq') === cseq,
      )
      const [found] = at < 0 ? [] : this.#received.splice(at, 1)
      if (found !== undefined) return found
      if (Date.now() >= deadline) return null
      await this.#waiters.next(Math.min(200, deadline - Date.now()))
    }
  }

  /** All that has come and was not taken before. */
  drain(): readonly PeerMessage[] {
    return this.#received.splice(0)
  }

  async close(): Promise<void> {
    this.#tcp.destroy()
    this.#udp.close()
    await once(this.#udp, 'close')
  }

  #takeFrames(): void {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/^content-length: *(\d+)/im.exec(this.#buffer.slice(0, end))?.[1] ?? 0)
      if (this.#buffer.length < end + 4 + length) return
      this.#take(this.#buffer.slice(0, end + 4 + length))
      this.#buffer = this.#buffer.slice(end + 4 + length)
    }
  }

  #take(text: string): void {
    this.#received.push(parseMessage(text))
    this.#waiters.wake()
  }
}
