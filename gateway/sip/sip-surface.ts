import { createRequire } from 'node:module'

/**
 * The part of drachtio-srf that the gateway uses, as its code behaves: the package's own declarations lack the
 * callback forms, `meta`, in-dialog `request` without a URI, and more.
 */

export type SipHeaders = Readonly<Record<string, string>>

export interface AddressHeader {
  readonly name?: string
  readonly uri: string
  readonly params: Readonly<Record<string, string | undefined>>
}

export interface SipMessage {
  /** Header text as received; several headers of one name are joined by commas. Undefined where absent. */
  get(name: string): string | undefined
  has(name: string): boolean
  /** Throws where the header is absent or cannot be parsed. */
  getParsedHeader(name: 'from' | 'to'): AddressHeader
  getParsedHeader(name: 'contact'): readonly AddressHeader[]
  /** Names in lower case but for those that begin with `X-` or `P-`. */
  readonly headers: SipHeaders
  /** Undefined where the message has none. */
  readonly body: string | undefined
  /** The whole message as received. */
  readonly raw: string
}

export interface SipRequest extends SipMessage {
  readonly method: string
  readonly uri: string
  /** `application` for a BYE that the SIP server sent by itself, as after a missing ACK. */
  readonly source: 'network' | 'application'
  readonly source_address: string
  readonly source_port: number
  /** Our own address and port that it came to; absent within dialogs. */
  readonly receivedOn: string | undefined
  /** `udp`, `tcp` or `tls`. */
  readonly protocol: string
  /** Set where the request came within a dialog. */
  readonly stackDialogId: string | undefined
  readonly res: SipResponse
  on(event: 'cancel', listener: () => void): void
  /** An UPDATE of the peer's before its INVITE is answered; without a listener it is refused for now. */
  on(event: 'update', listener: (request: SipRequest, response: SipResponse) => void): void
}

export interface SendOptions {
  readonly headers?: SipHeaders
  readonly body?: string
}

export interface SipResponse extends SipMessage {
  socket: unknown
  /** Where it came from; meaningless in a response of ours. */
  readonly source_address: string
  readonly source_port: number
  readonly status: number
  readonly finalResponseSent: boolean
  /** The callback gets the message as sent, or an error or text that says why it was not. */
  send(
    status: number,
    reason: string,
    options: SendOptions,
    callback?: (failure: unknown, sent: SipMessage | undefined) => void,
  ): void
}

export interface DialogRequest {
  readonly method: string
  readonly headers?: SipHeaders
  readonly body?: string
}

/** A message that came over the network. */
export interface HeardMessage extends Pick<SipMessage, 'get'> {
  /** The connection to the SIP server that it came by. A dialog goes on by its request's. */
  socket: unknown
  readonly source_address: string
  readonly source_port: number
}

export interface SipDialog {
  readonly id: string
  /** Whether the peer called, or was called. */
  readonly type: 'uas' | 'uac'
  /** The INVITE that made it, and its 200: of the two, the peer's came over the network. */
  readonly req: HeardMessage
  readonly res: HeardMessage
  /** What the peer has of us. */
  readonly local: { readonly sdp: string; readonly contact: string }
  /** The peer's Contact. */
  readonly remote: { readonly uri: string }
  /** The framework that keeps it. */
  readonly srf: { removeDialog(dialog: { readonly id: string }): void }
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string }
  readonly connected: boolean
  on(event: 'ack', listener: (request: SipRequest) => void): this
  /** The peer's BYE, already answered with 200, or a BYE of the SIP server's own. */
  on(event: 'destroy', listener: (request: SipRequest) => void): this
  /** A re-INVITE; the listener answers. */
  on(event: 'modify', listener: (request: SipRequest, response: SipResponse) => void): this
  on(
    event: 'update' | 'info' | 'options' | 'message' | 'notify' | 'refer',
    listener: (request: SipRequest, response: SipResponse) => void,
  ): this
  /** Sends a request; the ACK of an INVITE goes out by itself. Resolves with the final response. */
  request(options: DialogRequest): Promise<SipResponse>
  /** Sends BYE and resolves at its response. */
  destroy(options?: { readonly headers?: SipHeaders }): Promise<unknown>
}

export type RequestHandler = (request: SipRequest, response: SipResponse) => void

/** What a session needs of the framework. */
export interface DialogMaker {
  /**
   * Answers 200 and calls back in the same turn in which the SIP server confirms it, before any later request of
   * the dialog is handled: listeners that the callback adds miss nothing. A promise would be a turn too late.
   */
  createUAS(
    request: SipRequest,
    response: SipResponse,
    options: { readonly localSdp: string; readonly headers: SipHeaders },
    callback: (failure: unknown, dialog: SipDialog | undefined) => void,
  ): void
}

export interface SipFramework extends DialogMaker {
  connect(options: {
    readonly host: string
    readonly port: number
    readonly secret: string
    readonly enablePing?: boolean
    readonly pingInterval?: number
    readonly reconnect?: { readonly retryMaxDelay?: number }
  }): void
  disconnect(): void
  invite(handler: RequestHandler): void
  options(handler: RequestHandler): void
  use(method: string, handler: RequestHandler): void
  /** `failure` is set where the secret was refused; then `hostport` is absent. Fires again after each reconnection. */
  on(
    event: 'connect',
    listener: (failure: Error | null, hostport: string | undefined, version?: string) => void,
  ): this
  on(event: 'error', listener: (failure: Error) => void): this
  on(event: 'close', listener: () => void): this
  on(event: 'reconnecting', listener: (state: { readonly attempt: number }) => void): this
}

/** A framework that is not connected yet. One holds one SIP server. `Framework` is as much of it as is used. */
export function createFramework<Framework extends SipFramework>(): Framework {
  // The package is CommonJS and exports its class whole.
  const Srf: new () => Framework = createRequire(import.meta.url)('drachtio-srf')
  return new Srf()
}
