import { createServer, isIP, type Server, type Socket } from 'node:net'
import { connect, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { certificateNames, isLetInAs, isNamed } from './certificate-names.ts'
import type { CertificateState } from './counters.ts'
import {
  type CarrierClientEvents,
  type CarrierServerEvents,
  SOCKET_OPTIONS,
  type StreamCarrier,
  type StreamTarget,
} from './stream-carrier.ts'
import { TlsCredentials } from './tls-credentials.ts'
import type { TlsSettings } from './tls-settings.ts'

/** TLS beneath SIP (RFC 3261 §26.3.1): who may connect, and who is connected to. */
export class TlsCarrier implements StreamCarrier {
  readonly name = 'tls'
  readonly #credentials: TlsCredentials
  readonly #settings: TlsSettings
  readonly #handshakeMs: number
  readonly #servers: ReturnType<typeof createTlsServer>[] = []

  constructor(options: {
    readonly settings: TlsSettings
    /** How long a client may take for the handshake. */
    readonly handshakeMs: number
    readonly clock: Clock
    readonly log: Log
  }) {
    this.#settings = options.settings
    this.#handshakeMs = options.handshakeMs
    this.#credentials = new TlsCredentials({
      ...options,
      onLoaded: (loaded) => {
        for (const server of this.#servers) server.setSecureContext(loaded.options)
      },
    })
  }

  get certificate(): CertificateState {
    return this.#credentials.state
  }

  async start(): Promise<void> {
    await this.#credentials.start()
  }

  createServer({ onOpened, onSocket, onRefused }: CarrierServerEvents): Server {
    const mode = this.#settings.clientCertificate
    const handshakes = createTlsServer({
      requestCert: mode !== 'none',
      // Looked at below, so that what is refused is told apart from what failed.
      rejectUnauthorized: false,
      handshakeTimeout: this.#handshakeMs,
    })
    handshakes.on('secureConnection', (socket) => {
      // An error before somebody listens would end the process.
      socket.on('error', () => {})
      const names = provenNames(socket)
      const fault = this.#clientFault(socket, names)
      if (fault === undefined) {
        onSocket(socket, names)
        return
      }
      onRefused(fault.reason, fault.why)
      socket.destroy()
    })
    handshakes.on('tlsClientError', (error, socket) => {
      onRefused('tls_failed', messageOf(error))
      socket.destroy()
    })
    this.#servers.push(handshakes)
    // Looked at before the handshake, which costs far more than a connection.
    return createServer(SOCKET_OPTIONS, (socket) => {
      if (onOpened(socket)) handshakes.emit('connection', socket)
    })
  }

  connect(target: StreamTarget, { onReady, onRefused }: CarrierClientEvents): Socket {
    const { host, port, localAddress, names } = target
    const { serverCertificate } = this.#settings
    const { loaded } = this.#credentials
    const serverName = names.find((name) => isIP(name) === 0)
    const socket = connect({
      host,
      port,
      ...(loaded === undefined ? {} : { secureContext: loaded.context }),
      ...(localAddress === undefined ? {} : { localAddress }),
      // An address is no server name (RFC 6066 §3).
      servername: serverName ?? '',
      rejectUnauthorized: serverCertificate !== 'any',
      checkServerIdentity: (_host, certificate) => {
        const proven = certificateNames(certificate)
        if (this.isKnownBy(proven, names)) return undefined
        const why = `the certificate is for ${proven.join(', ')}, not for ${names.join(', ')}`
        return Object.assign(new Error(why), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
      },
    })
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    let state: 'connecting' | 'connected' | 'secure' = 'connecting'
    socket.once('connect', () => {
      state = 'connected'
    })
    socket.once('secureConnect', () => {
      state = 'secure'
      onReady(provenNames(socket))
    })
    socket.once('error', (error) => {
      // Before it is a matter of TCP: nobody listens there.
      if (state !== 'connected') return
      onRefused(isVerification(error) ? 'server_unverified' : 'tls_failed', messageOf(error))
    })
    return socket
  }

  isKnownBy(proven: readonly string[], wanted: readonly string[]): boolean {
    if (this.#settings.serverCertificate !== 'name' || wanted.length === 0) return true
    return wanted.some((name) => isNamed(proven, name))
  }

  close(): void {
    this.#credentials.close()
  }

  #clientFault(
    socket: TLSSocket,
    names: readonly string[],
  ): { readonly reason: 'client_unverified' | 'client_unknown'; readonly why: string } | undefined {
    const { clientCertificate, clientNames } = this.#settings
    const hasShown = Object.keys(socket.getPeerCertificate()).length > 0
    if (clientCertificate === 'none' || (clientCertificate === 'request' && !hasShown)) {
      return undefined
    }
    if (!socket.authorized) {
      const why = hasShown ? String(socket.authorizationError) : 'no certificate'
      return { reason: 'client_unverified', why }
    }
    const isLetIn = clientNames.length === 0 || clientNames.some((name) => isLetInAs(names, name))
    return isLetIn ? undefined : { reason: 'client_unknown', why: names.join(', ') }
  }
}

/** Names that an authority vouches for; none where no certificate was shown, or not a good one. */
function provenNames(socket: TLSSocket): readonly string[] {
  return socket.authorized ? certificateNames(socket.getPeerCertificate()) : []
}

/** Codes of OpenSSL's for a chain, and of Node.js for a name, that does not hold. */
function isVerification(error: Error & { readonly code?: unknown }): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO|ISSUER|ALTNAME/.test(String(error.code))
}
