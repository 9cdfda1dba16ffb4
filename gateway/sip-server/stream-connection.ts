import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import type { SipServerLimits } from './limits.ts'
import { StreamFramer } from './stream-framer.ts'
import type { Received } from './transport.ts'

/** One connection that carries SIP, whoever opened it. Owns its socket. */
export class StreamConnection {
  readonly id: number
  readonly #socket: Socket
  readonly #framer: StreamFramer
  readonly #limits: SipServerLimits
  readonly #clock: Clock
  readonly #closed: Promise<void>
  #lastActiveMs: number
  /** When the message that has not come whole began, or when connecting did. */
  #waitingSinceMs: number | undefined

  constructor(options: {
    readonly id: number
    readonly socket: Socket
    readonly limits: SipServerLimits
    readonly clock: Clock
    readonly onReceived: (received: Received) => void
    readonly onClosed: () => void
  }) {
    this.id = options.id
    this.#socket = options.socket
    this.#limits = options.limits
    this.#framer = new StreamFramer(options.limits)
    this.#clock = options.clock
    this.#lastActiveMs = options.clock.monotonicMs()
    if (options.socket.connecting) this.#waitingSinceMs = this.#lastActiveMs
    this.#socket.on('connect', () => {
      this.#waitingSinceMs = undefined
    })
    this.#socket.on('data', (chunk) => this.#take(chunk, options.onReceived))
    // The close event follows and says all that matters.
    this.#socket.on('error', () => {})
    this.#closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        options.onClosed()
        resolve()
      })
    })
  }

  /** This end's address, once connected. */
  get localHost(): string | undefined {
    return this.#socket.localAddress?.replace(/^::ffff:(?=\d+\.)/, '')
  }

  write(text: string, onFailure: (reason: string) => void): void {
    if (this.#socket.writableLength > this.#limits.maxUnsentBytes) this.#socket.destroy()
    this.#lastActiveMs = this.#clock.monotonicMs()
    this.#socket.write(text, 'latin1', (error) => {
      if (error) onFailure(error.message)
    })
  }

  /** Cuts off a peer that sends too slowly, does not answer, or is idle. */
  checkTime(): void {
    const nowMs = this.#clock.monotonicMs()
    const isSlow =
      this.#waitingSinceMs !== undefined && nowMs - this.#waitingSinceMs > this.#limits.maxMessageMs
    if (isSlow || nowMs - this.#lastActiveMs > this.#limits.maxIdleMs) this.#socket.destroy()
  }

  /** Sends what is left, then closes; resolves when it is gone, a peer that does not read being cut off. */
  async finish(): Promise<void> {
    const cutOff = this.#clock.after(2_000, () => this.#socket.destroy())
    if (this.#socket.connecting) this.#socket.destroy()
    else this.#socket.end(() => this.#socket.destroy())
    await this.#closed
    cutOff.cancel()
  }

  /** Sends what is left and half-closes, so that a refusal arrives although the peer is still sending. */
  finishSending(): void {
    this.#waitingSinceMs = this.#clock.monotonicMs()
    this.#socket.end()
  }

  #take(chunk: Buffer, onReceived: (received: Received) => void): void {
    const nowMs = this.#clock.monotonicMs()
    this.#lastActiveMs = nowMs
    const items = this.#framer.push(chunk.toString('latin1'))
    if (this.#socket.writableEnded) return
    if (!this.#framer.isInsideMessage) this.#waitingSinceMs = undefined
    else if (items.length > 0 || this.#waitingSinceMs === undefined) this.#waitingSinceMs = nowMs
    for (const item of items) {
      if (item.kind === 'keep_alive') this.#socket.write('\r\n')
      onReceived(item)
      if (item.kind === 'dropped') this.#socket.destroy()
      else if (item.kind === 'bad_request' && item.isLast) this.finishSending()
    }
  }
}
