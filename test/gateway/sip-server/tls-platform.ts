import { once } from 'node:events'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import type { Test } from 'tap'
import { Waiters } from '../../waiters.ts'
import { sipResponse } from './sip-text.ts'
import { StreamPeer } from './stream-peer.ts'

/** A platform that takes connections over TLS on loopback. Closes with the test. */
export class TlsPlatform {
  /** What clients asked for by SNI, and who they proved to be, connection by connection. */
  readonly serverNames: string[] = []
  readonly clientNames: string[] = []
  readonly #server: Server
  readonly #peers: StreamPeer[] = []
  readonly #fresh: StreamPeer[] = []
  readonly #waiters = new Waiters()
  #isAnswering = false

  private constructor(server: Server) {
    this.#server = server
    server.on('tlsClientError', () => {})
    server.on(
      'secureConnection',
      (socket: TLSSocket & { readonly servername?: string | false }) => {
        this.serverNames.push(String(socket.servername))
        this.clientNames.push(socket.getPeerCertificate().subjectaltname ?? '')
        const peer = new StreamPeer(socket)
        this.#peers.push(peer)
        this.#fresh.push(peer)
        if (this.#isAnswering) void answer(peer)
        this.#waiters.wake()
      },
    )
  }

  static async listen(t: Test, options: TlsOptions): Promise<TlsPlatform> {
    const server = createServer(options)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const platform = new TlsPlatform(server)
    t.teardown(() => platform.close())
    return platform
  }

  get port(): number {
    const address = this.#server.address()
    return address !== null && typeof address !== 'string' ? address.port : 0
  }

  /** From now on every request is answered 200. */
  answerAll(): void {
    this.#isAnswering = true
  }

  /** The next connection. */
  async next(): Promise<StreamPeer> {
    for (;;) {
      const peer = this.#fresh.shift()
      if (peer !== undefined) return peer
      await this.#waiters.next()
    }
  }

  close(): void {
    for (const peer of this.#peers) peer.close()
    this.#server.close()
  }
}

async function answer(peer: StreamPeer): Promise<void> {
  try {
    for (;;) peer.send(sipResponse(await peer.next(), { status: 200, reason: 'OK' }))
  } catch {
    // The connection has ended.
  }
}
