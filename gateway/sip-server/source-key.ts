import { isIPv6 } from 'node:net'

/**
 * What counts as one source: an IPv4 address, or the /64 of an IPv6 one, since whoever has one address of a /64 has
 * all of them (RFC 6177 §2).
 */
export function sourceKey(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  const network = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${network.join(':')}::/64`
}
