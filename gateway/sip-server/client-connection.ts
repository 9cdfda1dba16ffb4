import { createHash, timingSafeEqual } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Log } from '../../base/log.ts'
import { commandAnswer, notSent } from './client-frames.ts'
import { type ClientFrame, FrameReader, frameText } from './client-protocol.ts'
import type { SipServerLimits } from './limits.ts'

/** What a client asks of the server. */
export interface ClientCommands {
  /** The line after a right secret: addresses, version, local addresses. */
  readonly greeting: () => string
  readonly onRoute: (client: ClientConnection, method: string) => void
  readonly onRouteRemoved: (client: ClientConnection, method: string) => void
  /** A SIP request or response that is to be sent. */
  readonly onSip: (client: ClientConnection, frame: ClientFrame) => void
  readonly onClosed: (client: ClientConnection) => void
}

/** One drachtio client. Owns its socket. */
export class ClientConnection {
  readonly #socket: Socket
  readonly #secret: string
  readonly #reader: FrameReader
  readonly #maxUnsentBytes: number
  readonly #commands: ClientCommands
  readonly #log: Log
  readonly #closed: Promise<void>
  #isAuthenticated = false
  #isClosed = false

  constructor(options: {
    readonly socket: Socket
    readonly secret: string
    readonly limits: SipServerLimits
    readonly commands: ClientCommands
    readonly log: Log
  }) {
    this.#socket = options.socket
    this.#secret = options.secret
    this.#reader = new FrameReader(options.limits.maxFrameBytes)
    this.#maxUnsentBytes = options.limits.maxUnsentBytes
    this.#commands = options.commands
    this.#log = options.log
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.on('error', (error) => this.#log.info({ error }, 'SIP client connection failed'))
    this.#closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#isClosed = true
        this.#commands.onClosed(this)
        resolve()
      })
    })
  }

  get isOpen(): boolean {
    return !this.#isClosed
  }

  /** Sends a frame's content; a client that does not read is cut off. */
  send(content: string): void {
    if (this.#isClosed) return
    if (this.#socket.writableLength > this.#maxUnsentBytes) {
      this.#log.error('SIP client does not read what it is sent, so it is cut off')
      this.#socket.destroy()
      return
    }
    this.#socket.write(frameText(content), 'latin1')
  }

  /** Sends what is left, then closes. */
  async close(): Promise<void> {
    this.#socket.end(() => this.#socket.destroy())
    await this.#closed
  }

  #take(chunk: Buffer): void {
    for (const outcome of this.#reader.push(chunk.toString('latin1'))) {
      if (this.#socket.writableEnded) return
      if (outcome.kind === 'broken') {
        this.#log.warn({ reason: outcome.reason }, 'SIP client sent what is no frame')
        this.#socket.destroy()
        return
      }
      this.#obey(outcome.frame)
    }
  }

  #obey(frame: ClientFrame): void {
    const [argument = ''] = frame.fields
    if (frame.kind === 'authenticate') {
      if (isSame(argument, this.#secret)) {
        this.#isAuthenticated = true
        this.send(commandAnswer(frame.id, true, this.#commands.greeting()))
      } else {
        this.#refuse(frame, 'incorrect secret')
      }
      return
    }
    if (!this.#isAuthenticated) {
      this.#refuse(frame, 'not authenticated')
      return
    }
    switch (frame.kind) {
      case 'ping':
        this.send(commandAnswer(frame.id, true, 'pong'))
        return
      case 'route':
        this.#commands.onRoute(this, argument.toLowerCase())
        this.send(commandAnswer(frame.id, true))
        return
      case 'remove_route':
        this.#commands.onRouteRemoved(this, argument.toLowerCase())
        this.send(commandAnswer(frame.id, true))
        return
      case 'sip':
        this.#commands.onSip(this, frame)
        return
      case 'proxy':
        this.send(notSent(frame.id, 'proxying is not offered'))
        return
      default:
        this.#refuse(frame, 'Unknown message type')
    }
  }

  #refuse(frame: ClientFrame, reason: string): void {
    this.send(commandAnswer(frame.id, false, reason))
    this.#socket.end(() => this.#socket.destroy())
  }
}

/** Compares in a time that does not tell how much was right. */
function isSame(given: string, secret: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text, 'latin1').digest()
  return timingSafeEqual(hash(given), hash(Buffer.from(secret, 'utf8').toString('latin1')))
}
