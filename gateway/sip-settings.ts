import type { SipConfig, SipListen } from '../config/sip-config.ts'
import type { SipServerLimits } from './sip-server/limits.ts'
import type { SipListenAddress } from './sip-server/listener.ts'

/** What the embedded SIP server is told of the configuration. */
export function embeddedServer({ listen, streams }: SipConfig): {
  readonly listen: readonly SipListenAddress[]
  readonly limits: Partial<SipServerLimits>
} {
  return {
    listen: listen.map(listenAddress),
    limits: {
      maxMessageMs: streams.messageTimeoutS * 1000,
      stalledBodyMs: streams.stalledBodyS * 1000,
      maxIdleMs: streams.idleTimeoutS * 1000,
      pingEveryMs: streams.pingEveryS * 1000,
      maxConnections: streams.maxConnections,
      maxConnectionsPerSource: streams.maxConnectionsPerSource,
    },
  }
}

function listenAddress({ transport, host, port, tls }: SipListen): SipListenAddress {
  if (transport !== 'tls') return { transport, host, port }
  if (tls === undefined) throw new TypeError(`no certificate for tls ${host}:${port}`)
  return {
    transport,
    host,
    port,
    tls: {
      certPath: tls.cert,
      keyPath: tls.key,
      caPath: tls.ca,
      clientCertificate: tls.clientCertificate,
      clientNames: tls.clientNames ?? [],
      serverCertificate: tls.serverCertificate,
      minVersion: tls.minVersion,
    },
  }
}
