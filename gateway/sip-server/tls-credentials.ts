import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { CertificateState } from './counters.ts'
import type { TlsSettings } from './tls-settings.ts'

/** How often the files are looked at. */
const LOOK_MS = 10_000

/** What is read from the files: ready for a server, and for connecting. */
export interface LoadedCredentials {
  readonly options: SecureContextOptions
  readonly context: SecureContext
  /** When the certificate expires, milliseconds since 1970. */
  readonly expiresAtMs: number
}

/**
 * The certificate, key and authorities of one TLS address. Reads the files again when their content has changed; where
 * that makes no whole, as halfway through a renewal, what was good stays in use.
 */
export class TlsCredentials {
  readonly #settings: TlsSettings
  readonly #clock: Clock
  readonly #log: Log
  readonly #onLoaded: (loaded: LoadedCredentials) => void
  #loaded: LoadedCredentials | undefined
  #content = ''
  #timer: Timer | undefined
  readonly #reloads = { reloads: 0, failedReloads: 0 }

  constructor(options: {
    readonly settings: TlsSettings
    readonly clock: Clock
    readonly log: Log
    /** Called at the start and after each change. */
    readonly onLoaded: (loaded: LoadedCredentials) => void
  }) {
    this.#settings = options.settings
    this.#clock = options.clock
    this.#log = options.log
    this.#onLoaded = options.onLoaded
  }

  /** What is in use; undefined before the start. */
  get loaded(): LoadedCredentials | undefined {
    return this.#loaded
  }

  get state(): CertificateState {
    return { expiresAtMs: this.#loaded?.expiresAtMs, ...this.#reloads }
  }

  /** Reads the files and goes on looking at them. Rejects with `tls_files`. */
  async start(): Promise<void> {
    try {
      const files = await this.#read()
      this.#content = files.content
      this.#use(files.options)
    } catch (error) {
      throw new TallenneError(
        'tls_files',
        `TLS cannot begin with the certificate in ${this.#settings.certPath} and the key in ${this.#settings.keyPath} (${messageOf(error)}); check that both are PEM files, can be read, and belong together.`,
        { cause: error },
      )
    }
    this.#timer = this.#clock.every(LOOK_MS, () => void this.reload())
  }

  /** Looks at the files once. Never rejects. */
  async reload(): Promise<void> {
    try {
      const files = await this.#read()
      if (files.content === this.#content) return
      // Whatever comes of it, the same content is not tried again.
      this.#content = files.content
      this.#use(files.options)
      this.#reloads.reloads += 1
      this.#log.info({ certificate: this.#settings.certPath }, 'TLS certificate read anew')
    } catch (error) {
      this.#reloads.failedReloads += 1
      const facts = { certificate: this.#settings.certPath, reason: messageOf(error) }
      this.#log.error(
        facts,
        'TLS files changed and make no whole; what was read before stays in use',
      )
    }
  }

  /** Looks no more. Idempotent. */
  close(): void {
    this.#timer?.cancel()
  }

  #use(options: SecureContextOptions): void {
    const context = createSecureContext(options)
    const { validTo } = new X509Certificate(String(options.cert))
    const loaded = { options, context, expiresAtMs: Date.parse(validTo) }
    this.#onLoaded(loaded)
    this.#loaded = loaded
  }

  async #read(): Promise<{ readonly content: string; readonly options: SecureContextOptions }> {
    const { certPath, keyPath, caPath, minVersion } = this.#settings
    const paths = caPath === undefined ? [certPath, keyPath] : [certPath, keyPath, caPath]
    const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
    const [cert = '', key = '', ca] = texts
    const options = { cert, key, minVersion, ...(ca === undefined ? {} : { ca }) }
    return { content: texts.join('\n'), options }
  }
}
