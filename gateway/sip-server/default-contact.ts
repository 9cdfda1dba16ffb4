import { formatHostPort } from './sip-uri.ts'
import type { Peer } from './transport.ts'

/** The server's own Contact as that peer reaches it. */
export function defaultContact(peer: Peer): string {
  const { name } = peer.transport
  const parameter = name === 'udp' ? '' : `;transport=${name}`
  return `<sip:${formatHostPort(peer.localHost, peer.localPort)}${parameter}>`
}
