import { connect, createServer, type Server, type Socket } from 'node:net'
import type { CutOffReason } from './transport.ts'

/** Where a connection is to be opened to. */
export interface StreamTarget {
  readonly host: string
  readonly port: number
  /** Undefined where the system is to choose. */
  readonly localAddress: string | undefined
  /** Names of which the peer's certificate must have one; without certificates they mean nothing. */
  readonly names: readonly string[]
}

export interface CarrierServerEvents {
  /** Somebody has connected; false where the socket has been destroyed instead of being let in. */
  readonly onOpened: (socket: Socket) => boolean
  /** A connection is ready to carry SIP. `names` are those that its peer has proven. */
  readonly onSocket: (socket: Socket, names: readonly string[]) => void
  readonly onRefused: (reason: CutOffReason, why: string) => void
}

export interface CarrierClientEvents {
  readonly onReady: (names: readonly string[]) => void
  /** The socket's close event follows. */
  readonly onRefused: (reason: CutOffReason, why: string) => void
}

/** What lies beneath a stream transport: TCP alone, or TLS on it. Owns no connections. */
export interface StreamCarrier {
  readonly name: 'tcp' | 'tls'
  /** Makes ready what listening and connecting need; rejects with a `TallenneError`. */
  start(): Promise<void>
  /** A server that does not listen yet. */
  createServer(events: CarrierServerEvents): Server
  connect(target: StreamTarget, events: CarrierClientEvents): Socket
  /** Whether a connection whose peer has proven some names may carry what is for a peer of the wanted ones. */
  isKnownBy(proven: readonly string[], wanted: readonly string[]): boolean
  /** Idempotent. */
  close(): void
}

export const SOCKET_OPTIONS = { noDelay: true, keepAlive: true }

export class TcpCarrier implements StreamCarrier {
  readonly name = 'tcp'

  async start(): Promise<void> {}

  createServer({ onOpened, onSocket }: CarrierServerEvents): Server {
    return createServer(SOCKET_OPTIONS, (socket) => {
      if (onOpened(socket)) onSocket(socket, [])
    })
  }

  connect(target: StreamTarget, { onReady }: CarrierClientEvents): Socket {
    const { host, port, localAddress } = target
    const local = localAddress === undefined ? {} : { localAddress }
    const socket = connect({ host, port, ...SOCKET_OPTIONS, ...local })
    return socket.once('connect', () => onReady([]))
  }

  isKnownBy(): boolean {
    return true
  }

  close(): void {}
}
