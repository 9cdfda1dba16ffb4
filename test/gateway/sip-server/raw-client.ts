import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A drachtio client's side of the connection, by hand: frames as they are on the wire. */
export class RawClient {
  readonly #socket: Socket
  readonly #frames: string[] = []
  readonly #waiting: ((frame: string) => void)[] = []
  #pending = ''
  #lastId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      this.#pending += chunk.toString('latin1')
      for (let mark = this.#pending.indexOf('#'); mark > 0; mark = this.#pending.indexOf('#')) {
        const end = mark + 1 + Number(this.#pending.slice(0, mark))
        if (this.#pending.length < end) return
        const frame = this.#pending.slice(mark + 1, end)
        this.#pending = this.#pending.slice(end)
        const next = this.#waiting.shift()
        if (next) next(frame)
        else this.#frames.push(frame)
      }
    })
  }

  static async open(admin: { readonly host: string; readonly port: number }): Promise<RawClient> {
    const socket = connect(admin)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Resolves at the end of the connection. */
  async ended(): Promise<void> {
    if (!this.#socket.closed) await once(this.#socket, 'close')
  }

  /** Frames that came and nobody has awaited. */
  get unread(): readonly string[] {
    return this.#frames
  }

  /** Sends a frame and gives its id. */
  send(content: string): string {
    this.#lastId += 1
    const id = `frame-${this.#lastId}`
    const frame = `${id}|${content}`
    this.write(`${Buffer.byteLength(frame)}#${frame}`)
    return id
  }

  write(text: string): void {
    this.#socket.write(text)
  }

  async next(): Promise<string> {
    const frame = this.#frames.shift()
    if (frame !== undefined) return frame
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Sends a command and gives the answer to it. */
  async ask(content: string): Promise<string> {
    const id = this.send(content)
    const frame = await this.next()
    if (!frame.includes(`|response|${id}|`)) throw new Error(`not the answer: ${frame}`)
    return frame
  }

  async login(secret: string, ...methods: readonly string[]): Promise<void> {
    await this.ask(`authenticate|${secret}|`)
    for (const method of methods) await this.ask(`route|${method}`)
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** The fields of a frame's first line, those that change from run to run named by what they are. */
export function shapeOf(frame: string): string {
  const [meta = ''] = frame.split('\r\n', 1)
  return meta
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/\|\d\d:\d\d:\d\d\.\d{6}(?=\||$)/g, '|TIME')
}

export function messageOf(frame: string): string {
  const at = frame.indexOf('\r\n')
  return at < 0 ? '' : frame.slice(at + 2)
}

/** Id of the transaction in a frame that brings a request. */
export function transactionIn(frame: string): string {
  return frame.split('|')[8] ?? ''
}
