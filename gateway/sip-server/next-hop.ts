import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { localAddressToward } from './local-address.ts'
import { parseSipUri, uriParameter } from './sip-uri.ts'
import type { Peer, SipTransport } from './transport.ts'
import { defaultPort } from './via.ts'

/** Turns host names into addresses; NAPTR and SRV (RFC 3263) would be another implementation of it. */
export interface HostResolver {
  /** The addresses of that host, best first; rejects or is empty where there are none. */
  resolve(host: string): Promise<readonly string[]>
}

/** A and AAAA records and the hosts file, through the system. */
export class SystemResolver implements HostResolver {
  async resolve(host: string): Promise<readonly string[]> {
    const found = await lookup(host, { all: true })
    return found.map(({ address }) => address)
  }
}

export type NextHop =
  | { readonly kind: 'peer'; readonly peer: Peer }
  /** A name is to be resolved first. */
  | {
      readonly kind: 'name'
      readonly host: string
      /** The peer at an address of it; undefined where no transport leads there. */
      readonly peerAt: (address: string) => Peer | undefined
      /** Stands for the peer in a request that cannot be sent. */
      readonly nobody: Peer
    }
  | { readonly kind: 'none'; readonly reason: string }

const UNAVAILABLE = {
  kind: 'none',
  reason: 'requested protocol/transport not available',
} as const

/**
 * Where a request goes that is to be sent by a URI. Its `transport` parameter decides, else the transport that
 * the dialog uses, else UDP where the server has it. `known` is a dialog's peer, or the domain that a proxy stands for:
 * with a certificate of one of those names it may be at an address that the certificate does not name.
 */
export function nextHop(
  uriText: string,
  transports: readonly SipTransport[],
  known?: { readonly transport?: SipTransport; readonly names: readonly string[] },
): NextHop {
  const uri = parseSipUri(uriText)
  if (uri === undefined) return { kind: 'none', reason: `invalid request-uri: ${uriText}` }
  const asked = uri.scheme === 'sips' ? 'tls' : uriParameter(uri, 'transport')?.toLowerCase()
  const preferred = known?.transport
  const name = asked ?? preferred?.name ?? 'udp'
  const ordered = preferred === undefined ? transports : [preferred, ...transports]
  const named = ordered.filter((transport) => transport.name === name)
  const usable = named.length === 0 && asked === undefined ? ordered : named
  const [first] = usable
  if (first === undefined) return UNAVAILABLE
  const host = uriParameter(uri, 'maddr')?.replace(/^\[(.*)\]$/, '$1') || uri.host
  const port = uri.port ?? defaultPort(name)
  // The certificate must be for whom the URI names, wherever that is found (RFC 5922 §4).
  const names = name === 'tls' ? [uri.host, ...(known?.names ?? [])] : []
  const peerAt = (address: string) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
    return transportToward(address, usable)?.peerAt(plain, port, names)
  }
  if (isIP(host) === 0) {
    return { kind: 'name', host, peerAt, nobody: first.peerAt(first.host, port, names) }
  }
  const peer = peerAt(host)
  return peer === undefined ? UNAVAILABLE : { kind: 'peer', peer }
}

/** The peer at the name's first address that a transport leads to, or undefined. Never rejects. */
export async function resolvePeer(
  hop: Extract<NextHop, { readonly kind: 'name' }>,
  resolver: HostResolver,
): Promise<Peer | undefined> {
  try {
    for (const address of await resolver.resolve(hop.host)) {
      const peer = hop.peerAt(address)
      if (peer !== undefined) return peer
    }
  } catch {
    // An unknown name is a failure to send like any other; the caller says so.
  }
  return undefined
}

/** Whether a URI leads back to this server. */
export function isOwnAddress(uriText: string, transports: readonly SipTransport[]): boolean {
  const uri = parseSipUri(uriText)
  if (uri === undefined) return false
  return transports.some((transport) => {
    if (transport.port !== (uri.port ?? defaultPort(transport.name))) return false
    const isLoopback = transport.host === '127.0.0.1' && uri.host.toLowerCase() === 'localhost'
    return isLoopback || localAddressToward(uri.host, transport.host) === uri.host
  })
}

/** A socket bound to loopback reaches nothing else, so any other is better for an outward address. */
function transportToward(
  address: string,
  transports: readonly SipTransport[],
): SipTransport | undefined {
  const sameFamily = transports.filter(({ host }) => isIP(host) === isIP(address))
  const near = sameFamily.find(({ host }) => isLoopback(host) === isLoopback(address))
  return near ?? sameFamily[0]
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
