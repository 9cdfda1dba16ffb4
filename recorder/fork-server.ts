import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type RawData, type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import type { Clock, Timer } from '../base/clock.ts'
import { refuseConnection } from '../base/refuse-connection.ts'
import type { ForkLeg } from './fork-leg.ts'
import { WaitingConnections } from './waiting-connections.ts'

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
  /** Connections whose token was awaited, with those that are being closed; what is beyond is not taken. */
  readonly maxForks: number
  readonly clock: Clock
}

const SUBPROTOCOL = 'audio.drachtio.org'
/** Two channels at 64 kHz for four seconds: what one message may hold at most after a stall. */
const LARGEST_FRAME_BYTES = 1024 * 1024
/** A live fork sends fifty frames a second; one that is quiet for so long hangs. */
const IDLE_MS = 10_000
/** Connections without an awaited token: fewer than the descriptors that are kept for everything else. */
const MOST_WAITING = 100
/** FreeSWITCH sends its handshake as soon as it is connected. */
const LONGEST_WAIT_MS = 5000
/** A handshake has some five hundred bytes. */
const LARGEST_HANDSHAKE_BYTES = 8192
/** FreeSWITCH sends a message in one frame; what is between may cut it. */
const MOST_FRAGMENTS = 1024
/** Reads that one frame may come in: the largest takes half of them in packets of 536 bytes. */
const MOST_READS = 4096
/** So long a peer has to answer a close frame (RFC 6455 §7.1.1). */
const CLOSE_MS = 2000
const SAMPLE_BYTES = 2
const TOO_LARGE = new Set([
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_TOO_MANY_BUFFERED_PARTS',
])

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
  /** Unknown, used or missing token, or no handshake at all. */
  refused: number
  /** Closed without having shown an awaited token in time. */
  slow: number
  /** Closed, or not taken, because there were too many. */
  crowded: number
  /** Ended by a message too large, or in too many pieces. */
  oversize: number
  /** Ended by what is no WebSocket frame of a client, or no UTF-8. */
  malformed: number
  text: number
  idle: number
}

/**
 * Takes the WebSocket forks of an engine's recordings. A token opens one connection, once; every other request is
 * answered 403. Owns the connections: one whose recording is closed, or that hangs, is closed.
 */
export class ForkServer {
  readonly counters: ForkCounters = {
    ...{ accepted: 0, refused: 0, slow: 0, crowded: 0 },
    ...{ oversize: 0, malformed: 0, text: 0, idle: 0 },
  }
  readonly #options: ForkServerOptions
  readonly #awaited = new Map<string, AwaitedFork>()
  readonly #live = new Map<string, LiveFork>()
  readonly #sockets: WebSocketServer
  readonly #server: Server
  #waiting: WaitingConnections | undefined
  #port: Promise<number> | undefined
  #watch: Timer | undefined

  constructor(options: ForkServerOptions) {
    this.#options = options
    const sockets: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      maxPayload: LARGEST_FRAME_BYTES,
      maxFragments: MOST_FRAGMENTS,
      maxBufferedChunks: MOST_READS,
      closeTimeout: CLOSE_MS,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
      verifyClient: ({ req }, answer) => answer(this.#awaited.has(tokenOf(req)), 403),
    }
    this.#sockets = new WebSocketServer(sockets)
    this.#server = createServer({ maxHeaderSize: LARGEST_HANDSHAKE_BYTES })
    this.#server.maxConnections = options.maxForks + MOST_WAITING
  }

  /** Listens, once, and resolves with the port. Rejects where it cannot. */
  start(): Promise<number> {
    this.#port ??= this.#listen()
    return this.#port
  }

  #listen(): Promise<number> {
    const { host, port, clock } = this.#options
    const { counters } = this
    const server = this.#server
    const waiting = new WaitingConnections({
      clock,
      most: MOST_WAITING,
      longestMs: LONGEST_WAIT_MS,
      onSlow: () => counters.slow++,
      onCrowded: () => counters.crowded++,
    })
    this.#waiting = waiting
    server.on('connection', (socket) => waiting.add(socket))
    server.on('drop', () => counters.crowded++)
    server.on('clientError', (error, socket) => {
      counters.refused++
      refuseConnection(error, socket)
    })
    server.on('request', (_request, response) => {
      counters.refused++
      response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end()
    })
    server.on('upgrade', (request, socket, head) => {
      const token = tokenOf(request)
      const awaited = this.#awaited.get(token)
      const { accepted } = counters
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        if (awaited === undefined) return
        waiting.admit(request.socket)
        this.#accept(webSocket, token, awaited)
      })
      if (counters.accepted === accepted) counters.refused++
    })
    this.#watch = clock.every(IDLE_MS / 2, () => this.#endIdle())
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        // A connection that cannot be taken is no fault of the server's.
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
    this.#waiting?.close()
    this.#server.close()
  }

  #accept(socket: WebSocket, token: string, awaited: AwaitedFork): void {
    this.#awaited.delete(token)
    this.counters.accepted++
    const heardAtMs = this.#options.clock.monotonicMs()
    const live: LiveFork = { socket, awaited, rest: Buffer.alloc(0), heardAtMs }
    this.#live.set(token, live)
    socket.binaryType = 'nodebuffer'
    socket.on('message', (message, isBinary) => this.#take(live, message, isBinary))
    // The close event follows with its code.
    socket.on('error', (error) => this.#countFault(error))
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

  #countFault(error: Error): void {
    if (!('code' in error) || typeof error.code !== 'string') return
    if (TOO_LARGE.has(error.code)) this.counters.oversize++
    else if (error.code.startsWith('WS_ERR_')) this.counters.malformed++
  }

  #endIdle(): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const { socket, heardAtMs } of this.#live.values()) {
      if (socket.readyState !== socket.OPEN || nowMs - heardAtMs < IDLE_MS) continue
      this.counters.idle++
      socket.terminate()
    }
  }
}

function tokenOf(request: IncomingMessage): string {
  return (request.url ?? '').slice(1).split(/[?/#]/, 1)[0] ?? ''
}
