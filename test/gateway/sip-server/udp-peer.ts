import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** A phone platform as far as a test needs one: a UDP socket, what came, and a way to await it. */
export class UdpPeer {
  readonly #socket: Socket
  readonly #inbox: string[] = []
  readonly #waiting: ((text: string) => void)[] = []
  readonly #host: string

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.on('message', (datagram) => {
      const text = datagram.toString('latin1')
      const next = this.#waiting.shift()
      if (next) next(text)
      else this.#inbox.push(text)
    })
  }

  static async open(host = '127.0.0.1'): Promise<UdpPeer> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.bind(0, host)
    await once(socket, 'listening')
    return new UdpPeer(socket, host)
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Messages that came and nobody has awaited. */
  get unread(): readonly string[] {
    return this.#inbox
  }

  send(text: string, port: number): void {
    this.#socket.send(Buffer.from(text, 'latin1'), port, this.#host)
  }

  async next(): Promise<string> {
    const text = this.#inbox.shift()
    if (text !== undefined) return text
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** The next message whose start line matches; others before it are dropped. */
  async nextThat(pattern: RegExp): Promise<string> {
    for (;;) {
      const text = await this.next()
      if (pattern.test(text.split('\r\n', 1)[0] ?? '')) return text
    }
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve))
  }
}
