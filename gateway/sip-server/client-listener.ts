import { createServer, type Server } from 'node:net'
import type { Log } from '../../base/log.ts'
import { type ClientCommands, ClientConnection } from './client-connection.ts'
import type { SipServerLimits } from './limits.ts'
import { bindFailure } from './listen-failure.ts'

/** Where drachtio clients connect. Owns their connections. */
export class ClientListener {
  readonly #host: string
  readonly #port: number
  readonly #log: Log
  readonly #clients = new Set<ClientConnection>()
  readonly #server: Server

  constructor(options: {
    readonly host: string
    /** 0 takes a free one. */
    readonly port: number
    readonly secret: string
    readonly limits: SipServerLimits
    readonly log: Log
    readonly commands: ClientCommands
  }) {
    this.#host = options.host
    this.#port = options.port
    this.#log = options.log
    const { secret, limits, log } = options
    const commands = {
      ...options.commands,
      onClosed: (client: ClientConnection) => {
        this.#clients.delete(client)
        options.commands.onClosed(client)
      },
    }
    this.#server = createServer({ noDelay: true }, (socket) => {
      if (this.#clients.size >= limits.maxClients) socket.destroy()
      else this.#clients.add(new ClientConnection({ socket, secret, limits, commands, log }))
    })
  }

  /** Clients connected now. */
  get size(): number {
    return this.#clients.size
  }

  /** Gives the real address. Throws `port_taken` or `listen_failed`. */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const asked = { host: this.#host, port: this.#port }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(bindFailure('tcp', asked, error)))
      this.#server.listen(asked, resolve)
    })
    this.#server.removeAllListeners('error')
    this.#server.on('error', (error) => this.#log.warn({ error }, 'SIP admin listener failed'))
    const bound = this.#server.address()
    return bound === null || typeof bound === 'string'
      ? asked
      : { host: bound.address, port: bound.port }
  }

  /** Sends clients what is left for them, then closes. Idempotent. */
  async close(): Promise<void> {
    const isClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await Promise.all([...this.#clients].map((client) => client.close()))
    await isClosed
  }
}
