import { BlockList, isIP } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

/**
 * The address of this machine that a peer would see, where the socket itself is bound to all addresses: the one
 * whose network holds the peer, else the first that leads outside.
 */
export function localAddressToward(peerHost: string, boundHost: string): string {
  if (boundHost !== '0.0.0.0' && boundHost !== '::') return boundHost
  const family = isIP(peerHost) === 6 && !peerHost.startsWith('::ffff:') ? 'IPv6' : 'IPv4'
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((info) => info.family === family && !info.address.startsWith('fe80:'))
  const near = addresses.find((info) => holds(info, peerHost))
  const outward = addresses.find((info) => !info.internal)
  const fallback = family === 'IPv6' ? '::1' : '127.0.0.1'
  return near?.address ?? outward?.address ?? fallback
}

function holds(info: NetworkInterfaceInfo, host: string): boolean {
  if (info.cidr === null) return false
  const [network = '', bits = ''] = info.cidr.split('/')
  const family = info.family === 'IPv6' ? 'ipv6' : 'ipv4'
  if (isIP(host) === 0) return false
  const list = new BlockList()
  list.addSubnet(network, Number(bits), family)
  return list.check(host.replace(/^::ffff:/, ''), family)
}
