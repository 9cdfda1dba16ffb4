import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { until } from '../../until.ts'
import { Waiters } from '../../waiters.ts'

/** A platform's end of a connection to the server: what came, in pieces of one message each. */
export class StreamPeer {
  readonly socket: Socket
  #text = ''
  readonly #waiters = new Waiters()
  #isClosed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      this.#text += chunk.toString('latin1')
      this.#waiters.wake()
    })
    socket.on('close', () => {
      this.#isClosed = true
      this.#waiters.wake()
    })
  }

  /**
   * Waits until the other end, in this process, has read all that was sent, or has closed: nothing waits at either end
   * in the kernel (proc(5), `/proc/net/tcp`).
   */
  async isRead(): Promise<void> {
    const { localPort = 0, remotePort = 0 } = this.socket
    const [own, others] = [localPort, remotePort].map((port) =>
      `:${port.toString(16).padStart(4, '0')} `.toUpperCase(),
    )
    await until(() => {
      if (this.#isClosed) return true
      const ends = readFileSync('/proc/net/tcp', 'utf8')
        .split('\n')
        .filter((line) => line.includes(own ?? '') && line.includes(others ?? ''))
      const isIdle = ends.every((line) => line.includes(' 00000000:00000000 '))
      return this.socket.writableLength === 0 && ends.length === 2 && isIdle
    })
  }

  static async open(port: number, host = '127.0.0.1'): Promise<StreamPeer> {
    const socket = connect({ port, host })
    await once(socket, 'connect')
    return new StreamPeer(socket)
  }

  /** Rejects where the handshake fails on this side. */
  static async openTls(
    port: number,
    options: ConnectionOptions = {},
  ): Promise<StreamPeer & { readonly socket: TLSSocket }> {
    const socket = connectTls({ port, host: '127.0.0.1', ...options })
    await once(socket, 'secureConnect')
    const peer = new StreamPeer(socket)
    return Object.assign(peer, { socket })
  }

  get port(): number {
    return this.socket.localPort ?? 0
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The port means nothing here: it stands where a peer over UDP is told one. */
  send(text: string, _port?: number): void {
    this.socket.write(text, 'latin1')
  }

  /** The next whole message; rejects at the end of the connection. */
  async next(): Promise<string> {
    for (;;) {
      const message = this.#takeMessage()
      if (message !== undefined) return message
      if (this.#isClosed) throw new Error(`closed after: ${JSON.stringify(this.#text)}`)
      await this.#more()
    }
  }

  /** The next message whose start line matches; others before it are dropped. */
  async nextThat(pattern: RegExp): Promise<string> {
    for (;;) {
      const text = await this.next()
      if (pattern.test(text.split('\r\n', 1)[0] ?? '')) return text
    }
  }

  /** Everything that has come and was not taken, once so many bytes are there. */
  async bytes(count: number): Promise<string> {
    while (this.#text.length < count && !this.#isClosed) await this.#more()
    const text = this.#text
    this.#text = ''
    return text
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await this.#more()
  }

  close(): void {
    this.socket.destroy()
  }

  async #more(): Promise<void> {
    await this.#waiters.next()
  }

  #takeMessage(): string | undefined {
    const head = this.#text.indexOf('\r\n\r\n')
    if (head < 0) return undefined
    const length = Number(/^content-length:\s*(\d+)/im.exec(this.#text.slice(0, head))?.[1] ?? 0)
    const end = head + 4 + length
    if (this.#text.length < end) return undefined
    const message = this.#text.slice(0, end)
    this.#text = this.#text.slice(end)
    return message
  }
}
