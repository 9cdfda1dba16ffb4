import type { IncomingMessage } from 'node:http'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { Clock, Timer } from '../base/clock.ts'
import type { ForkLeg } from './fork-leg.ts'

/** A fork that may come once, by the token in its URL. */
export interface AwaitedFork {
  /** What the interleaved channels carry, left first. */
  readonly legs: readonly ForkLeg[]
  readonly onConnected: () => void
  /** Told once, where it ended by itself: `code` is the WebSocket's close code (RFC 6455 §7.4). */
  readonly onEnded: (code: number) => void
}

export interface ForkServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly clock: Clock
}

const SUBPROTOCOL = 'audio.drachtio.org'
/** Two channels at 64 kHz for four seconds: what one frame may hold at most after a stall. */
const LARGEST_FRAME_BYTES = 1024 * 1024
/** A live fork sends fifty frames a second; one that is quiet for so long hangs. */
const IDLE_MS = 10_000
const SAMPLE_BYTES = 2

interface LiveFork {
  readonly socket: WebSocket
  readonly awaited: AwaitedFork
  /** Bytes of a sample group that a frame cut in two. */
  rest: Buffer
  heardAtMs: number
}

/** What came and was not audio of a known fork. */
export interface ForkCounters {
  accepted: number
  /** Unknown, used or missing token. */
  refused: number
  text: number
  idle: number
}

/**
 * Takes the WebSocket forks of an engine's recordings. A token opens one connection, once; every other request is
 * answered 403. Owns the connections: one whose recording is closed, or that hangs, is closed.
 */
export class ForkServer {
  readonly counters: ForkCounters = { accepted: 0, refused: 0, text: 0, idle: 0 }
  readonly #options: ForkServerOptions
  readonly #awaited = new Map<string, AwaitedFork>()
  readonly #live = new Map<string, LiveFork>()
  #server: WebSocketServer | undefined
  #port: Promise<number> | undefined
  #watch: Timer | undefined

  constructor(options: ForkServerOptions) {
    this.#options = options
  }

  /** Listens, once, and resolves with the port. Rejects where it cannot. */
  start(): Promise<number> {
    this.#port ??= this.#listen()
    return this.#port
  }

  #listen(): Promise<number> {
    const { host, port, clock } = this.#options
    const server = new WebSocketServer({
      host,
      port,
      maxPayload: LARGEST_FRAME_BYTES,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
      verifyClient: ({ req }, answer) => {
        const isAwaited = this.#awaited.has(tokenOf(req))
        if (!isAwaited) this.counters.refused++
        answer(isAwaited, 403)
      },
    })
    this.#server = server
    server.on('connection', (socket, request) => this.#accept(socket, request))
    this.#watch = clock.every(IDLE_MS / 2, () => this.#endIdle())
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.once('listening', () => {
        // A handshake that breaks off is no fault of the server's.
        server.on('error', () => {})
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  /** From now on a fork with this token is taken. */
  expect(token: string, fork: AwaitedFork): void {
    this.#awaited.set(token, fork)
  }

  /** The recording needs the fork no more: a connection is closed, a late one refused. Idempotent. */
  release(token: string): void {
    this.#awaited.delete(token)
    const live = this.#live.get(token)
    this.#live.delete(token)
    live?.socket.close(1000)
  }

  close(): void {
    this.#watch?.cancel()
    for (const token of [...this.#live.keys()]) this.release(token)
    this.#awaited.clear()
    this.#server?.close()
  }

  #accept(socket: WebSocket, request: IncomingMessage): void {
    const token = tokenOf(request)
    const awaited = this.#awaited.get(token)
    // Two that come at once both pass the handshake's check; the second finds the token used.
    if (awaited === undefined) {
      this.counters.refused++
      socket.close(1008)
      return
    }
    this.#awaited.delete(token)
    this.counters.accepted++
    const heardAtMs = this.#options.clock.monotonicMs()
    const live: LiveFork = { socket, awaited, rest: Buffer.alloc(0), heardAtMs }
    this.#live.set(token, live)
    socket.binaryType = 'nodebuffer'
    socket.on('message', (message, isBinary) => this.#take(live, message, isBinary))
    // The close event follows with its code.
    socket.on('error', () => {})
    socket.on('close', (code) => {
      if (this.#live.get(token) !== live) return
      this.#live.delete(token)
      awaited.onEnded(code)
    })
    awaited.onConnected()
  }

  #take(live: LiveFork, message: RawData, isBinary: boolean): void {
    live.heardAtMs = this.#options.clock.monotonicMs()
    if (!isBinary || !Buffer.isBuffer(message)) {
      this.counters.text++
      return
    }
    if (message.length === 0) {
      // FreeSWITCH is being shut down: it sends nothing more and never closes the connection.
      live.socket.close(1000)
      return
    }
    const { legs } = live.awaited
    const stride = legs.length * SAMPLE_BYTES
    const bytes = live.rest.length === 0 ? message : Buffer.concat([live.rest, message])
    const length = Math.floor(bytes.length / stride)
    live.rest = bytes.subarray(length * stride)
    if (length === 0) return
    for (let channel = 0; channel < legs.length; channel++) {
      legs[channel]?.take({ bytes, offset: channel * SAMPLE_BYTES, length, stride })
    }
  }

  #endIdle(): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const { socket, heardAtMs } of this.#live.values()) {
      if (nowMs - heardAtMs < IDLE_MS) continue
      this.counters.idle++
      socket.terminate()
    }
  }
}

function tokenOf(request: IncomingMessage): string {
  return (request.url ?? '').slice(1).split(/[?/#]/, 1)[0] ?? ''
}
