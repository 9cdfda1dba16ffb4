import type { Socket } from 'node:net'
import type { Clock, Timer } from '../base/clock.ts'

export interface WaitingConnectionsOptions {
  readonly clock: Clock
  readonly most: number
  readonly longestMs: number
  /** Told of each that was closed because it waited too long. */
  readonly onSlow: () => void
  /** Told of each that was closed because too many came after it. */
  readonly onCrowded: () => void
}

const LOOK_EVERY_MS = 1000

/**
 * TCP connections that have not shown yet what they are for. One that does not in time is closed; where there are too
 * many the oldest is: who has something to show does so at once, and must find room whoever else connects.
 */
export class WaitingConnections {
  readonly #options: WaitingConnectionsOptions
  /** When each came, oldest first. */
  readonly #since = new Map<Socket, number>()
  readonly #look: Timer

  constructor(options: WaitingConnectionsOptions) {
    this.#options = options
    this.#look = options.clock.every(LOOK_EVERY_MS, () => this.#endSlow())
  }

  get size(): number {
    return this.#since.size
  }

  add(socket: Socket): void {
    const { clock, most, onCrowded } = this.#options
    this.#since.set(socket, clock.monotonicMs())
    socket.once('close', () => this.#since.delete(socket))
    if (this.#since.size <= most) return
    this.#endOldest()
    onCrowded()
  }

  /** It has shown what it is for, and is another's from now on. */
  admit(socket: Socket): void {
    this.#since.delete(socket)
  }

  /** Closes those that wait still. Idempotent. */
  close(): void {
    this.#look.cancel()
    for (const socket of this.#since.keys()) socket.destroy()
    this.#since.clear()
  }

  #endSlow(): void {
    const { clock, longestMs, onSlow } = this.#options
    const latest = clock.monotonicMs() - longestMs
    for (const sinceMs of this.#since.values()) {
      if (sinceMs > latest) return
      this.#endOldest()
      onSlow()
    }
  }

  #endOldest(): void {
    const [oldest] = this.#since.keys()
    if (oldest === undefined) return
    this.#since.delete(oldest)
    oldest.destroy()
  }
}
