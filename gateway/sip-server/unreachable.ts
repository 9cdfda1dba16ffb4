import { createSocket } from 'node:dgram'
import { isIP } from 'node:net'
import type { Peer } from './transport.ts'

/** How long a host may take to say that nobody listens on that port, milliseconds. */
const ANSWER_MS = 1_000

/**
 * Finds out whether a datagram port is closed, without waiting for timers B and F.
 *
 * The kernel tells of an ICMP "port unreachable" only on a connected socket, which the listening one cannot be: so
 * another one sends a keep-alive (RFC 5626 §3.5.1) and listens for the refusal. `onUnreachable` is called at most
 * once; silence says nothing.
 */
export function detectUnreachable(peer: Peer, onUnreachable: () => void): void {
  if (peer.transport.isReliable || isIP(peer.host) === 0) return
  const socket = createSocket(isIP(peer.host) === 6 ? 'udp6' : 'udp4')
  let isClosed = false
  const close = () => {
    if (isClosed) return
    isClosed = true
    clearTimeout(timeout)
    socket.close()
  }
  // Real time, since it bounds a real socket's life whatever clock the transactions follow.
  const timeout = setTimeout(close, ANSWER_MS)
  timeout.unref()
  socket.unref()
  socket.on('error', (error) => {
    const isRefused = 'code' in error && error.code === 'ECONNREFUSED'
    const isFirst = !isClosed
    close()
    if (isRefused && isFirst) onUnreachable()
  })
  socket.connect(peer.port, peer.host, () => socket.send('\r\n\r\n'))
}
