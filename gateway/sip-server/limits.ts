/** What one peer or client may ask of the server. */
export interface SipServerLimits {
  /** A whole message over a stream, bytes; a datagram cannot exceed 65,535. */
  readonly maxMessageBytes: number
  /** Start line and headers, bytes. */
  readonly maxHeadBytes: number
  /** Lines of headers, continuations included. */
  readonly maxHeaders: number
  /** SIP connections at a time, both directions. */
  readonly maxConnections: number
  /** Connections at a time that one source has opened, those included whose handshake is under way. */
  readonly maxConnectionsPerSource: number
  /** How long a message may take to arrive whole over a stream, and a peer to take a connection, milliseconds. */
  readonly maxMessageMs: number
  /** A multipart body of which nothing more has come over a stream for so long is taken as it is, milliseconds. */
  readonly stalledBodyMs: number
  /** A connection on which nothing has come or gone for so long is closed, milliseconds. */
  readonly maxIdleMs: number
  /** A peer that connects must have said something by then, milliseconds. */
  readonly maxSilentMs: number
  /** How often an otherwise quiet connection that this side opened is pinged, milliseconds; 0 is never. */
  readonly pingEveryMs: number
  /** Bytes waiting for a peer or client that does not read, beyond which it is cut off. */
  readonly maxUnsentBytes: number
  /** Requests being handled at a time, both directions. */
  readonly maxTransactions: number
  readonly maxDialogs: number
  readonly maxClients: number
  /** One frame of a client, bytes. */
  readonly maxFrameBytes: number
  /** Receive buffer asked of the kernel for each datagram socket, bytes. */
  readonly receiveBufferBytes: number
}

export const DEFAULT_LIMITS: SipServerLimits = {
  maxMessageBytes: 524_288,
  maxHeadBytes: 32_768,
  maxHeaders: 256,
  maxConnections: 2_000,
  maxConnectionsPerSource: 500,
  maxMessageMs: 10_000,
  stalledBodyMs: 1_000,
  maxIdleMs: 3_600_000,
  maxSilentMs: 60_000,
  pingEveryMs: 120_000,
  maxUnsentBytes: 4_194_304,
  maxTransactions: 50_000,
  maxDialogs: 20_000,
  maxClients: 16,
  maxFrameBytes: 262_144,
  receiveBufferBytes: 4_194_304,
}
