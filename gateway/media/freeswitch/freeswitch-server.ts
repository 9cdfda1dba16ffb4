import type { Clock, Timer } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'
import { askEventSocket } from './event-socket.ts'
import type { Endpoint, MediaResourceFunction, MediaServer } from './media-server-surface.ts'
import { settleWithin } from './settle-within.ts'

export interface FreeswitchAddress {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly password: string
  readonly profile: string
  /** Share of the calls; 0 takes none. */
  readonly weight: number
  /** Address of this process that the server reaches: for the event socket and for forks. */
  readonly listenAddress: string
  readonly advertisedAddress?: string | undefined
}

export type ServerState = 'connecting' | 'up' | 'down' | 'closed'

const ANSWER_MS = 3000
const ENDPOINT_MS = 5000
const CHECK_EVERY_MS = 5000
const FAILED_CHECKS = 2
const LONGEST_WAIT_MS = 10_000

/**
 * One FreeSWITCH of the pool: connects, watches that it answers, and connects again when it comes back. Gives out
 * endpoints while it is up. Owns the connection and its timers.
 */
export class FreeswitchServer {
  readonly address: FreeswitchAddress
  readonly #mrf: MediaResourceFunction
  readonly #clock: Clock
  readonly #log: Log
  readonly #onLost = new Set<(reason: string) => void>()
  #state: ServerState = 'connecting'
  #isDraining = false
  #endpoints = 0
  #server: MediaServer | undefined
  #attempt = 0
  #failedChecks = 0
  #retry: Timer | undefined
  #watch: Timer | undefined

  constructor(options: {
    readonly address: FreeswitchAddress
    readonly mrf: MediaResourceFunction
    readonly clock: Clock
    readonly log: Log
  }) {
    this.address = options.address
    this.#mrf = options.mrf
    this.#clock = options.clock
    this.#log = options.log.child({ freeswitch: options.address.name })
  }

  get state(): ServerState {
    return this.#state
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  /** Whether it takes new calls. */
  get takesCalls(): boolean {
    return this.#state === 'up' && !this.#isDraining && this.address.weight > 0
  }

  /** Endpoints of ours that live on it. */
  get endpoints(): number {
    return this.#endpoints
  }

  /** Begins to connect; what does not work is tried again until `close`. Resolves after the first attempt. */
  async start(): Promise<void> {
    this.#watch = this.#clock.every(CHECK_EVERY_MS, () => void this.#check())
    await this.#connect()
  }

  /** No new calls from now on; those that are up go on. */
  drain(isDraining: boolean): void {
    this.#isDraining = isDraining
  }

  /** Told when the server is lost with all that lived on it. Gives back how to stop listening. */
  onLost(listener: (reason: string) => void): () => void {
    this.#onLost.add(listener)
    return () => this.#onLost.delete(listener)
  }

  /** Rejects with a `TallenneError`: `no_media_server` or `media_timeout`. The caller destroys what it is given. */
  async createEndpoint(remoteSdp: string | null): Promise<Endpoint> {
    const server = this.#server
    if (server === undefined) {
      throw new TallenneError('no_media_server', `FreeSWITCH ${this.address.name} is not connected`)
    }
    const endpoint = await settleWithin(
      server.createEndpoint(remoteSdp === null ? {} : { remoteSdp }),
      {
        clock: this.#clock,
        withinMs: ENDPOINT_MS,
        what: 'give an endpoint',
        late: (late) => void late.destroy().catch(() => {}),
      },
    )
    // Without it every command waits some forty milliseconds for the one before to be acknowledged.
    endpoint.conn?.socket.setNoDelay(true)
    this.#endpoints++
    return endpoint
  }

  /** Releases an endpoint, however its server is. Never rejects. */
  async destroyEndpoint(endpoint: Endpoint): Promise<void> {
    this.#endpoints--
    if (!endpoint.connected) return
    await settleWithin(endpoint.destroy(), {
      clock: this.#clock,
      withinMs: ANSWER_MS,
      what: 'hang up an endpoint',
    }).catch((error: unknown) =>
      this.#log.warn({ reason: messageOf(error) }, 'endpoint left behind'),
    )
  }

  close(): void {
    this.#state = 'closed'
    this.#retry?.cancel()
    this.#watch?.cancel()
    this.#disconnect()
  }

  async #connect(): Promise<void> {
    const { host, port, password, profile, listenAddress, advertisedAddress } = this.address
    try {
      // The library throws out of a callback where the profile is missing, so that is looked up before.
      const profiles = await askEventSocket({ host, port, password }, 'sofia status', ANSWER_MS)
      if (!new RegExp(`^\\s*${profile}\\s+profile\\s.*RUNNING`, 'm').test(profiles)) {
        throw new TallenneError(
          'no_media_server',
          `FreeSWITCH at ${host}:${port} runs no SIP profile ${profile}`,
        )
      }
      const server = await settleWithin(
        this.#mrf.connect({
          address: host,
          port,
          secret: password,
          listenAddress,
          profile,
          ...(advertisedAddress === undefined ? {} : { advertisedAddress }),
        }),
        {
          clock: this.#clock,
          withinMs: ANSWER_MS,
          what: 'get ready',
          late: (late) => late.disconnect(),
        },
      )
      if (this.#state === 'closed') return server.disconnect()
      server.conn.socket.setNoDelay(true)
      server.on('end', () => this.#lose('its event socket ended'))
      server.on('error', (failure) => this.#lose(messageOf(failure)))
      this.#server = server
      this.#attempt = 0
      this.#failedChecks = 0
      this.#state = 'up'
      this.#log.info({ host, port }, 'FreeSWITCH is up')
    } catch (error) {
      if (this.#state === 'closed') return
      this.#log.warn({ host, port, reason: messageOf(error) }, 'FreeSWITCH cannot be used')
      this.#connectLater()
    }
  }

  #connectLater(): void {
    const waitMs = Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(this.#attempt++, 10))
    this.#retry?.cancel()
    this.#retry = this.#clock.after(waitMs, () => void this.#connect())
  }

  /** A server whose event socket stays open and says nothing is as good as gone. */
  async #check(): Promise<void> {
    if (this.#state !== 'up') return
    const { host, port, password } = this.address
    try {
      await askEventSocket({ host, port, password }, 'status', ANSWER_MS)
      this.#failedChecks = 0
    } catch (error) {
      if (++this.#failedChecks >= FAILED_CHECKS) this.#lose(messageOf(error))
    }
  }

  #lose(reason: string): void {
    if (this.#state !== 'up') return
    this.#state = 'down'
    this.#log.error({ reason, endpoints: this.#endpoints }, 'FreeSWITCH is lost')
    this.#disconnect()
    this.#connectLater()
    for (const listener of [...this.#onLost]) listener(reason)
  }

  #disconnect(): void {
    this.#server?.disconnect()
    this.#server = undefined
  }
}
