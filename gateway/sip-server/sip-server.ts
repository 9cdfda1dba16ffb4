import { randomBytes } from 'node:crypto'
import { formatAddress } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ClientConnection } from './client-connection.ts'
import { ClientListener } from './client-listener.ts'
import type { ClientFrame } from './client-protocol.ts'
import { ClientRegistry } from './client-registry.ts'
import { MessageCounters, type SipServerCounters } from './counters.ts'
import { DialogTable } from './dialog-table.ts'
import { type Door, OPEN_DOOR, senderOf } from './door.ts'
import { DEFAULT_LIMITS, type SipServerLimits } from './limits.ts'
import { createListener, type Listener, type SipListenAddress } from './listener.ts'
import { localAddressToward } from './local-address.ts'
import { MessageReceiver } from './message-receiver.ts'
import { SystemResolver } from './next-hop.ts'
import { createCore, type SipCore } from './sip-core.ts'
import { sourceKey } from './source-key.ts'
import type { Peer, Received, SipTransport, TransportEvents } from './transport.ts'

/** What clients are told: the drachtio server that this one behaves like. */
const VERSION = 'v0.9.10-tallenne'

/** How long `close` waits for clients to answer what is pending, milliseconds. */
const CLOSING_MS = 1_000

export interface SipServerOptions {
  readonly listen: readonly SipListenAddress[]
  /** Where clients connect: loopback, a free port and a random secret unless given. */
  readonly admin?: { readonly host?: string; readonly port?: number; readonly secret?: string }
  readonly clock: Clock
  readonly log: Log
  readonly limits?: Partial<SipServerLimits>
  /** Who is let in; everybody where absent. */
  readonly door?: Door
}

export interface SipServerAddresses {
  readonly admin: { readonly host: string; readonly port: number; readonly secret: string }
  /** In the order asked for, with the real ports. */
  readonly sip: readonly SipListenAddress[]
}

/**
 * A SIP server that drachtio clients connect to as they would to a drachtio server 0.9.10. Signalling only.
 *
 * Owns its sockets, connections and transactions; `start` once, `close` idempotently.
 */
export class SipServer {
  readonly #options: SipServerOptions
  readonly #limits: SipServerLimits
  readonly #log: Log
  readonly #secret: string
  readonly #door: Door
  readonly #counters = new MessageCounters()
  readonly #dialogs = new DialogTable()
  readonly #registry = new ClientRegistry()
  readonly #listeners: readonly Listener[]
  readonly #transports: readonly SipTransport[]
  readonly #clients: ClientListener
  readonly #core: SipCore
  readonly #messages: MessageReceiver
  #closing: Promise<void> | undefined

  constructor(options: SipServerOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#log = options.log
    this.#door = options.door ?? OPEN_DOOR
    this.#secret = options.admin?.secret ?? randomBytes(24).toString('base64url')
    this.#listeners = options.listen.map((address) => {
      const { clock, log } = options
      const events = this.#transportEvents()
      return createListener(address, { limits: this.#limits, door: this.#door, clock, log, events })
    })
    this.#transports = this.#listeners.map(({ transport }) => transport)
    this.#core = createCore({
      clock: options.clock,
      limits: this.#limits,
      counters: this.#counters,
      dialogs: this.#dialogs,
      registry: this.#registry,
      transports: this.#transports,
      resolver: new SystemResolver(),
      door: this.#door,
    })
    this.#messages = new MessageReceiver({
      counters: this.#counters,
      core: this.#core,
      door: this.#door,
    })
    this.#clients = new ClientListener({
      host: options.admin?.host ?? '127.0.0.1',
      port: options.admin?.port ?? 0,
      secret: this.#secret,
      limits: this.#limits,
      log: this.#log,
      commands: {
        greeting: () => this.#greeting(),
        onRoute: (client, method) => this.#registry.add(client, method),
        onRouteRemoved: (client, method) => this.#registry.remove(client, method),
        onSip: (client, frame) => this.#guard(() => this.#obey(client, frame)),
        onClosed: (client) => this.#guard(() => this.#forget(client)),
      },
    })
  }

  get counters(): SipServerCounters {
    return this.#counters.snapshot({
      transactions: this.#core.incoming.size + this.#core.outgoing.size,
      connections: this.#transports.reduce((sum, transport) => sum + transport.connections, 0),
      dialogs: this.#dialogs.size,
      clients: this.#clients.size,
      certificates: this.#listeners.flatMap(({ certificate }) => certificate?.() ?? []),
    })
  }

  /** How many dialogs there are with a host, or with its network (`sourceKey`). */
  dialogsWith(host: string): number {
    return this.#dialogs.countWith(sourceKey(host))
  }

  /** Names that the certificate of an open connection from there has proven. */
  namesAt(host: string, port: number): readonly string[] {
    return this.#transports.flatMap((transport) => transport.namesAt(host, port))
  }

  /** Listens everywhere, or nowhere: rejects with `port_taken`, `listen_failed` or `tls_files`. */
  async start(): Promise<SipServerAddresses> {
    try {
      const admin = await this.#clients.start()
      for (const transport of this.#transports) await transport.start()
      return {
        admin: { ...admin, secret: this.#secret },
        sip: this.#options.listen.map((address, index) => {
          return { ...address, port: this.#transports[index]?.port ?? 0 }
        }),
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Refuses new requests, lets clients answer what is pending for a second, then closes all. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    this.#core.receiver.stopAccepting()
    if (this.#clients.size > 0) await this.#settle()
    await this.#clients.close()
    this.#core.incoming.close()
    this.#core.outgoing.close()
    this.#dialogs.clear()
    await Promise.all(this.#transports.map((transport) => transport.close()))
  }

  /** Waits until every request has its answer, or long enough. */
  async #settle(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timeout = this.#options.clock.after(CLOSING_MS, resolve)
      this.#core.incoming.onSettled(() => {
        timeout.cancel()
        resolve()
      })
    })
  }

  #transportEvents(): TransportEvents {
    return {
      onReceived: (received: Received, peer) => {
        this.#guard(() => this.#receive(received, peer))
      },
      onConnected: (transport, direction) => this.#counters.connected(transport.name, direction),
      onDisconnected: (transport, host, port) => {
        this.#core.outgoing.disconnected(transport, host, port)
      },
      onCutOff: (transport, reason) => this.#counters.cutOff(transport.name, reason),
      onShutOut: () => this.#counters.dropped('banned'),
    }
  }

  /** Who was banned after it had connected is heard no further. */
  #receive(received: Received, peer: Peer): void {
    if (peer.transport.isReliable && this.#door.isShut(senderOf(peer))) {
      this.#counters.dropped('banned')
      peer.transport.disconnect(peer)
    } else {
      this.#messages.receive(received, peer)
    }
  }

  #obey(client: ClientConnection, frame: ClientFrame): void {
    if (frame.startLine.startsWith('SIP/')) this.#core.responder.respond(client, frame)
    else this.#core.requester.request(client, frame)
  }

  #forget(client: ClientConnection): void {
    this.#registry.forget(client)
    this.#core.receiver.forget(client)
    this.#core.outgoing.forget(client)
  }

  /** Addresses and version, as in the answer to `authenticate`. */
  #greeting(): string {
    const addresses = this.#transports
      .map(({ name, host, port }) => {
        return `${name}/${formatAddress({ host: localAddressToward('', host), port })}`
      })
      .toReversed()
      .join(',')
    return `${addresses}|${VERSION}|${addresses}`
  }

  /** A fault of ours in handling one message must touch no other. */
  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#counters.dropped('internal_error')
      this.#log.error({ error }, 'SIP message could not be handled')
    }
  }
}
