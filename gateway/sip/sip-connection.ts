import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { TrunkFramework } from './call-maker.ts'
import { createFramework } from './sip-surface.ts'

/** A SIP server's admin socket: of a drachtio server, or of the embedded one. */
export interface SipServerAddress {
  readonly host: string
  readonly port: number
  readonly secret: string
}

export interface SipConnectionOptions {
  readonly address: SipServerAddress
  readonly clock: Clock
  readonly log: Log
}

/** How long a start waits for a server before it goes on without it. */
const FIRST_CONNECTION_MS = 5000

/** The connection to one SIP server. The framework connects again by itself after each loss. */
export class SipConnection {
  readonly framework: TrunkFramework
  readonly #options: SipConnectionOptions
  #state: 'connecting' | 'connected' | 'closed' = 'connecting'

  constructor(options: SipConnectionOptions) {
    this.#options = options
    this.framework = createFramework<TrunkFramework>()
  }

  /** Stable, for metrics and logs. */
  get server(): string {
    return `${this.#options.address.host}:${this.#options.address.port}`
  }

  get isConnected(): boolean {
    return this.#state === 'connected'
  }

  /**
   * Connects. Handlers must be in place. Resolves at the connection, or after five seconds without one, and then
   * goes on trying. Rejects with `sip_secret_refused`.
   */
  start(): Promise<void> {
    const { address, clock, log } = this.#options
    return new Promise((resolve, reject) => {
      const patience: Timer = clock.after(FIRST_CONNECTION_MS, () => {
        log.warn({ server: this.server }, 'SIP server does not answer; trying on')
        resolve()
      })
      this.framework.on('connect', (failure) => {
        patience.cancel()
        if (failure === null) {
          this.#connected()
          return resolve()
        }
        log.error({ server: this.server, reason: messageOf(failure) }, 'SIP server refused us')
        this.#disconnect()
        reject(
          new TallenneError(
            'sip_secret_refused',
            `The SIP server at ${this.server} refuses the secret: set sip.drachtio's secret to the one in its configuration.`,
            { cause: failure },
          ),
        )
      })
      this.framework.on('error', (failure) => {
        log.debug({ server: this.server, reason: failure.message }, 'SIP server connection failed')
      })
      this.framework.on('close', () => this.#lost())
      this.framework.connect({ ...address, enablePing: true, reconnect: { retryMaxDelay: 5000 } })
    })
  }

  /** Idempotent. */
  close(): void {
    if (this.#state === 'closed') return
    const wasConnected = this.#state === 'connected'
    this.#state = 'closed'
    if (wasConnected) this.#disconnect()
  }

  #connected(): void {
    // The framework goes on trying where it was closed between two attempts.
    if (this.#state === 'closed') {
      this.#disconnect()
      return
    }
    this.#state = 'connected'
    this.#options.log.info({ server: this.server }, 'SIP server connected')
  }

  #lost(): void {
    if (this.#state !== 'connected') return
    this.#state = 'connecting'
    this.#options.log.warn({ server: this.server }, 'SIP server lost; connecting again')
  }

  #disconnect(): void {
    this.framework.disconnect()
  }
}
