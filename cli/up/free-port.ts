import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { Address } from '../../base/address.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { PortClaims } from './port-claims.ts'

export type PortState =
  | { readonly kind: 'free' }
  | { readonly kind: 'taken' }
  /** The address is not this machine's, or the port is one that only root may take. */
  | { readonly kind: 'unusable'; readonly reason: string }

/** Whether something could listen there now, found by doing it for a moment. */
export async function portState(
  { host, port }: Address,
  transport: 'udp' | 'tcp' | 'tls',
): Promise<PortState> {
  try {
    await (transport === 'udp' ? holdUdp({ host, port }) : holdTcp({ host, port }))
    return { kind: 'free' }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') return { kind: 'taken' }
    return { kind: 'unusable', reason: messageOf(error) }
  }
}

/** The first port from `address` upwards that is free for all `transports`, within a hundred. */
export async function firstFreePort(
  address: Address,
  options: {
    readonly transports: readonly ('udp' | 'tcp')[]
    /** Ports that are spoken for although nobody listens yet. */
    readonly except?: ReadonlySet<number>
    /** Where the port that is found is claimed, and others' claims are seen. */
    readonly claims?: PortClaims
  },
): Promise<number | undefined> {
  for (let port = address.port; port < address.port + 100 && port <= 65_535; port++) {
    if (options.except?.has(port)) continue
    const states = await Promise.all(
      options.transports.map((transport) => portState({ host: address.host, port }, transport)),
    )
    if (!states.every((state) => state.kind === 'free')) continue
    if ((await options.claims?.take({ host: address.host, port })) !== false) return port
  }
  return undefined
}

function holdUdp({ host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    // As the SIP server binds it: `::` leaves `0.0.0.0` to others.
    const isV6 = host.includes(':')
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', ipv6Only: isV6 })
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve()))
  })
}

function holdTcp({ host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()))
  })
}
