import type { Test } from 'tap'
import type { Clock } from '../../../base/clock.ts'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import type { Door } from '../../../gateway/sip-server/door.ts'
import type { SipServerLimits } from '../../../gateway/sip-server/limits.ts'
import { SipServer } from '../../../gateway/sip-server/sip-server.ts'
import type { TlsSettings } from '../../../gateway/sip-server/tls-settings.ts'
import { RawClient } from './raw-client.ts'
import { UdpPeer } from './udp-peer.ts'

/** A server on loopback with a peer and, where methods are named, a client that takes them. All close with the test. */
export async function startServer(
  t: Test,
  options: {
    readonly clock?: Clock
    readonly limits?: Partial<SipServerLimits>
    readonly methods?: readonly string[]
    readonly tls?: TlsSettings
    readonly door?: Door
  } = {},
) {
  const server = new SipServer({
    listen: [
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
      ...(options.tls === undefined
        ? []
        : [{ transport: 'tls', host: '127.0.0.1', port: 0, tls: options.tls } as const]),
    ],
    clock: options.clock ?? new SystemClock(),
    log: createSilentLog(),
    ...(options.door === undefined ? {} : { door: options.door }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  const addresses = await server.start()
  const [udp, tcp, tls] = addresses.sip
  const peer = await UdpPeer.open()
  const client = await RawClient.open(addresses.admin)
  t.teardown(async () => {
    client.close()
    await peer.close()
    await server.close()
  })
  if (options.methods !== undefined) {
    await client.login(addresses.admin.secret, ...options.methods)
  }
  const udpPort = udp?.port ?? 0
  return {
    server,
    admin: addresses.admin,
    udpPort,
    tcpPort: tcp?.port ?? 0,
    tlsPort: tls?.port ?? 0,
    peer,
    client,
    /** Sends to the server over UDP. */
    send: (text: string) => peer.send(text, udpPort),
  }
}
