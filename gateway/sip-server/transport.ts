import type { SipMessage, SipRequest } from './sip-message.ts'

export type TransportName = 'udp' | 'tcp' | 'tls'

/** Where a message came from, and where its responses go. */
export interface Peer {
  readonly transport: SipTransport
  /** Address without brackets. */
  readonly host: string
  readonly port: number
  /** The stream it came on; undefined for datagrams and for a peer that is not connected yet. */
  readonly connectionId: number | undefined
  /** This server's own address as that peer reaches it, without brackets. */
  readonly localHost: string
  readonly localPort: number
  /**
   * Names by which the peer is known: proven by the certificate that it showed, or those that one of its must have
   * for a connection that is still to be opened. Always empty but for TLS.
   */
  readonly names: readonly string[]
}

export type Received =
  | { readonly kind: 'message'; readonly message: SipMessage }
  /** To be refused; `isLast` where the stream cannot be followed any further. */
  | {
      readonly kind: 'bad_request'
      readonly message: SipRequest
      readonly status: number
      readonly reason: string
      readonly isLast: boolean
    }
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'keep_alive' }

export interface TransportEvents {
  readonly onReceived: (received: Received, peer: Peer) => void
  readonly onConnected: (transport: SipTransport, direction: 'in' | 'out') => void
  /** The stream is gone; nothing more comes from it and what was sent may be lost. */
  readonly onDisconnected: (transport: SipTransport, host: string, port: number) => void
  readonly onCutOff: (transport: SipTransport, reason: CutOffReason) => void
  /** A datagram of somebody was thrown away unread. */
  readonly onShutOut: () => void
}

/** Why this side ended a connection, or did not let it begin. */
export type CutOffReason =
  | 'too_many'
  /** One source has opened as many as it may. */
  | 'too_many_from_source'
  /** Its source is banned. */
  | 'banned'
  /** No message came whole in its time. */
  | 'slow_message'
  /** Nothing ever came. */
  | 'silent'
  | 'idle'
  /** The peer did not take the connection in time. */
  | 'unanswered'
  /** The peer answered pings once, and does so no more. */
  | 'unanswered_ping'
  /** The peer does not read. */
  | 'unread'
  /** What came is no SIP, or ends where its next message begins cannot be told. */
  | 'bad_framing'
  | 'tls_failed'
  /** The client showed no certificate, or one that no authority vouches for. */
  | 'client_unverified'
  /** The client's certificate has none of the names that are let in. */
  | 'client_unknown'
  /** The server that a request was for could not prove to be it. */
  | 'server_unverified'

/** One address that the server listens on, and through which it sends. */
export interface SipTransport {
  readonly name: TransportName
  /** Whether it retransmits by itself, so that SIP must not (RFC 3261 §17). */
  readonly isReliable: boolean
  /** As bound; the port is the real one after `start`. */
  readonly host: string
  readonly port: number
  /** Connections now; always 0 for datagrams. */
  readonly connections: number
  /** Throws `port_taken`. */
  start(): Promise<void>
  /** Idempotent; what was handed to `send` has gone, or will not go. */
  close(): Promise<void>
  /** A peer to send a request to; streams connect at the first `send`. `names` as in `Peer`. */
  peerAt(host: string, port: number, names?: readonly string[]): Peer
  /**
   * The peer takes requests to that port of its host by this connection too (RFC 5923). Nothing where it has none.
   */
  alias(peer: Peer, port: number): void
  /** Names that the peer of an open connection from there has proven; none for datagrams. */
  namesAt(host: string, port: number): readonly string[]
  /** Whether the peer's stream is still open; true for datagrams. */
  isConnected(peer: Peer): boolean
  /** Text of one character per byte; a peer with a connection gets it on that one or not at all. `onFailure` is called at most once, and never before `send` returns. */
  send(text: string, peer: Peer, onFailure: (reason: string) => void): void
  /** Ends the peer's stream once all that was sent has gone. */
  disconnect(peer: Peer): void
}
