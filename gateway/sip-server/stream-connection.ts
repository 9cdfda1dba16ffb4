import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import type { SipServerLimits } from './limits.ts'
import { StreamFramer } from './stream-framer.ts'
import { StreamPings } from './stream-pings.ts'
import type { CutOffReason, Received } from './transport.ts'

export interface StreamConnectionEvents {
  /** It can carry SIP. Called once at most. */
  readonly onReady: () => void
  readonly onReceived: (received: Received) => void
  /** This side ends it. Called once at most; `onClosed` follows. */
  readonly onCutOff: (reason: CutOffReason) => void
  readonly onClosed: () => void
}

/** One connection that carries SIP, whoever opened it. Owns its socket. */
export class StreamConnection {
  readonly id: number
  /** Who opened it: the peer, or this server. */
  readonly direction: 'in' | 'out'
  readonly #socket: Socket
  readonly #framer: StreamFramer
  readonly #limits: SipServerLimits
  readonly #clock: Clock
  readonly #events: StreamConnectionEvents
  readonly #pings: StreamPings
  readonly #closed: Promise<void>
  readonly #openedAtMs: number
  #names: readonly string[]
  #isReady = false
  #isCutOff = false
  /** Whether anything of SIP has come whole. */
  #hasSpoken = false
  /** When something came or went last, pings aside. */
  #lastActiveMs: number
  #lastHeardMs: number
  /** When the message that has not come whole began. */
  #messageSinceMs: number | undefined
  /** When the last of this side's words went, the connection being half closed. */
  #finishingSinceMs: number | undefined

  constructor(options: {
    readonly id: number
    readonly socket: Socket
    /** Names that the peer has proven, or must. */
    readonly names: readonly string[]
    readonly direction: 'in' | 'out'
    readonly limits: SipServerLimits
    readonly clock: Clock
    readonly events: StreamConnectionEvents
  }) {
    this.id = options.id
    this.direction = options.direction
    this.#socket = options.socket
    this.#names = options.names
    this.#limits = options.limits
    this.#framer = new StreamFramer(options.limits)
    this.#clock = options.clock
    this.#events = options.events
    const nowMs = options.clock.monotonicMs()
    this.#pings = new StreamPings(options.limits.pingEveryMs, nowMs)
    this.#openedAtMs = nowMs
    this.#lastActiveMs = nowMs
    this.#lastHeardMs = nowMs
    this.#socket.on('data', (chunk) => this.#take(chunk))
    // The close event follows and says all that matters.
    this.#socket.on('error', () => {})
    this.#closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#events.onClosed()
        resolve()
      })
    })
  }

  /** Names that the peer has proven by its certificate; before it is ready, those that it must have one of. */
  get names(): readonly string[] {
    return this.#names
  }

  /** This end's address, once connected. */
  get localHost(): string | undefined {
    return this.#socket.localAddress?.replace(/^::ffff:(?=\d+\.)/, '')
  }

  /** The connection can carry SIP, and its peer has proven these names. */
  ready(names: readonly string[]): void {
    this.#names = names
    this.#isReady = true
    this.#events.onReady()
  }

  write(text: string, onFailure: (reason: string) => void): void {
    if (this.#socket.writableLength > this.#limits.maxUnsentBytes) this.#cutOff('unread')
    this.#lastActiveMs = this.#clock.monotonicMs()
    this.#socket.write(text, 'latin1', (error) => {
      if (error) onFailure(error.message)
    })
  }

  /**
   * Cuts off a peer that sends too slowly, does not answer, or is idle; takes a body that comes no further; pings over
   * a connection that this side opened.
   */
  checkTime(): void {
    const nowMs = this.#clock.monotonicMs()
    const { maxMessageMs, stalledBodyMs, maxIdleMs, maxSilentMs } = this.#limits
    if (this.#finishingSinceMs !== undefined) {
      if (nowMs - this.#finishingSinceMs > maxMessageMs) this.#socket.destroy()
      return
    }
    if (!this.#isReady) {
      if (nowMs - this.#openedAtMs > maxMessageMs) this.#cutOff('unanswered')
      return
    }
    if (this.#messageSinceMs !== undefined) {
      const isStalled = nowMs - this.#lastHeardMs > stalledBodyMs
      const stalled = isStalled ? this.#framer.takeStalled() : undefined
      if (stalled !== undefined) this.#hand(stalled)
      else if (nowMs - this.#messageSinceMs > maxMessageMs) this.#giveUpMessage()
      return
    }
    if (nowMs - this.#lastActiveMs > maxIdleMs) {
      this.#cutOff('idle')
    } else if (this.direction === 'in') {
      if (!this.#hasSpoken && nowMs - this.#openedAtMs > maxSilentMs) this.#cutOff('silent')
    } else {
      const due = this.#pings.due(nowMs)
      if (due === 'ping') this.#socket.write('\r\n\r\n')
      else if (due === 'unanswered') this.#cutOff('unanswered_ping')
    }
  }

  /** Sends what is left, then closes; resolves when it is gone, a peer that does not read being cut off. */
  async finish(): Promise<void> {
    const timeout = this.#clock.after(2_000, () => this.#socket.destroy())
    if (this.#isReady) this.#socket.end(() => this.#socket.destroy())
    else this.#socket.destroy()
    await this.#closed
    timeout.cancel()
  }

  /** Sends what is left and half-closes, so that a refusal arrives although the peer is still sending. */
  finishSending(): void {
    this.#finishingSinceMs = this.#clock.monotonicMs()
    this.#socket.end()
  }

  #take(chunk: Buffer): void {
    const nowMs = this.#clock.monotonicMs()
    this.#lastActiveMs = nowMs
    this.#lastHeardMs = nowMs
    this.#pings.heard(chunk, nowMs)
    const items = this.#framer.push(chunk.toString('latin1'))
    if (this.#socket.writableEnded) return
    if (!this.#framer.isInsideMessage) this.#messageSinceMs = undefined
    else if (items.length > 0 || this.#messageSinceMs === undefined) this.#messageSinceMs = nowMs
    for (const item of items) this.#hand(item)
  }

  #hand(item: Received | undefined): void {
    if (item === undefined || this.#isCutOff) return
    if (!this.#framer.isInsideMessage) this.#messageSinceMs = undefined
    if (item.kind === 'dropped') {
      this.#events.onReceived(item)
      this.#cutOff('bad_framing')
      return
    }
    this.#hasSpoken = true
    if (item.kind === 'keep_alive') this.#socket.write('\r\n')
    this.#events.onReceived(item)
    if (item.kind === 'bad_request' && item.isLast) {
      this.#noteCutOff('bad_framing')
      this.finishSending()
    }
  }

  /** What has come of the message is refused where it can be. */
  #giveUpMessage(): void {
    const item = this.#framer.giveUp()
    this.#noteCutOff('slow_message')
    if (item === undefined) {
      this.#socket.destroy()
      return
    }
    this.#events.onReceived(item)
    this.finishSending()
  }

  #cutOff(reason: CutOffReason): void {
    this.#noteCutOff(reason)
    this.#socket.destroy()
  }

  #noteCutOff(reason: CutOffReason): void {
    if (this.#isCutOff) return
    this.#isCutOff = true
    this.#events.onCutOff(reason)
  }
}
