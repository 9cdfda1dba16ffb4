import type { Address } from '../base/address.ts'
import { firstFreePort } from '../cli/up/free-port.ts'

/** An address of loopback whose port nobody has, from `port` upwards. */
export async function freeAddress(
  port: number,
  transports: readonly ('udp' | 'tcp')[],
): Promise<Address> {
  const host = '127.0.0.1'
  const free = await firstFreePort({ host, port }, { transports })
  if (free === undefined) throw new Error(`every port from ${port} upwards is taken`)
  return { host, port: free }
}
