import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { CertificateState } from './counters.ts'
import type { Door } from './door.ts'
import type { SipServerLimits } from './limits.ts'
import { type StreamCarrier, TcpCarrier } from './stream-carrier.ts'
import { StreamTransport } from './stream-transport.ts'
import { TlsCarrier } from './tls-carrier.ts'
import type { TlsSettings } from './tls-settings.ts'
import type { SipTransport, TransportEvents } from './transport.ts'
import { UdpTransport } from './transport-udp.ts'

/** An address to listen on; port 0 takes a free one. */
export type SipListenAddress =
  | { readonly transport: 'udp' | 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly transport: 'tls'
      readonly host: string
      readonly port: number
      readonly tls: TlsSettings
    }

/** The transport of one address, not started yet. */
export interface Listener {
  readonly transport: SipTransport
  /** How its certificate is; absent without TLS. */
  readonly certificate?: () => CertificateState
}

export function createListener(
  address: SipListenAddress,
  parts: {
    readonly limits: SipServerLimits
    readonly events: TransportEvents
    readonly door: Door
    readonly clock: Clock
    readonly log: Log
  },
): Listener {
  const { host, port } = address
  const streamOn = (carrier: StreamCarrier) =>
    new StreamTransport({ host, port, carrier, ...parts })
  switch (address.transport) {
    case 'udp':
      return { transport: new UdpTransport({ host, port, ...parts }) }
    case 'tcp':
      return { transport: streamOn(new TcpCarrier()) }
    case 'tls': {
      const handshakeMs = parts.limits.maxMessageMs
      const carrier = new TlsCarrier({ settings: address.tls, handshakeMs, ...parts })
      return { transport: streamOn(carrier), certificate: () => carrier.certificate }
    }
  }
}
