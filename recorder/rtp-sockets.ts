import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { hasCode } from '../base/has-code.ts'
import type { PortPool } from './port-pool.ts'

/** A pair of bound sockets, RTP on the even port and RTCP one above. */
export interface SocketPair {
  readonly rtp: Socket
  readonly rtcp: Socket
  readonly rtpPort: number
  /** The address that both are bound to. */
  readonly boundAddress: string
}

/**
 * Room for packets that wait while the thread is busy: at 1 KiB in the kernel for a packet of 20 ms, ten seconds. A kernel
 * that allows less (`net.core.rmem_max`, 208 KiB by default) gives four, which is four times what is held back.
 */
const RTP_RECEIVE_BYTES = 512 * 1024
/** A report comes every few seconds. */
const RTCP_RECEIVE_BYTES = 64 * 1024

/**
 * Binds the next free pair. A port that another process holds is skipped and rests like a used one.
 *
 * Returns undefined when the pool is empty; rejects where the address itself cannot be bound.
 */
export async function bindSocketPair(
  pool: PortPool,
  address: string,
): Promise<SocketPair | undefined> {
  for (let port = pool.take(); port !== undefined; port = pool.take()) {
    let rtp: Socket | undefined
    try {
      rtp = await bindSocket(port, address, RTP_RECEIVE_BYTES)
      const rtcp = await bindSocket(port + 1, address, RTCP_RECEIVE_BYTES)
      return { rtp, rtcp, rtpPort: port, boundAddress: address }
    } catch (error) {
      rtp?.close()
      pool.release(port)
      if (!isPortTaken(error)) throw error
    }
  }
  return undefined
}

/** Closes both sockets and lets the port rest. */
export function closeSocketPair(pair: SocketPair, pool: PortPool): void {
  pair.rtp.close()
  pair.rtcp.close()
  pool.release(pair.rtpPort)
}

function bindSocket(port: number, address: string, receiveBytes: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const isV6 = isIPv6(address)
    const socket = createSocket({
      type: isV6 ? 'udp6' : 'udp4',
      // IPv4 packets would come from addresses of another form than signalling names.
      ipv6Only: isV6,
      // Addresses are literals always. The usual look-up would put every datagram off to a later turn.
      lookup: (host, _options, callback) => callback(null, host, isV6 ? 6 : 4),
    })
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ port, address, exclusive: true }, () => {
      socket.removeAllListeners('error')
      socket.setRecvBufferSize(receiveBytes)
      resolve(socket)
    })
  })
}

function isPortTaken(error: unknown): boolean {
  return hasCode(error, 'EADDRINUSE')
}
