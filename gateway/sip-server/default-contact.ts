import { formatAddress } from '../../base/address.ts'
import type { Peer } from './transport.ts'

/**
 * The server's own Contact as that peer reaches it: a SIPS URI for a request whose own URI is one
 * (RFC 3261 §8.1.1.8, §12.1.1).
 */
export function defaultContact(peer: Peer, requestUri: string): string {
  const { name } = peer.transport
  const scheme = name === 'tls' && /^sips:/i.test(requestUri) ? 'sips' : 'sip'
  const parameter = name === 'udp' ? '' : `;transport=${name}`
  return `<${scheme}:${formatAddress({ host: peer.localHost, port: peer.localPort })}${parameter}>`
}
