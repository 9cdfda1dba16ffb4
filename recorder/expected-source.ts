import { isIP } from 'node:net'
import type { MediaAddress } from './recording-plan.ts'

/** An address as a socket names it, so that the two compare as text; undefined where it is none or the unspecified one. */
export function comparableSource(remote: MediaAddress | undefined): MediaAddress | undefined {
  if (remote === undefined || remote.port === 0) return undefined
  const address = comparableAddress(remote.address)
  return address === undefined ? undefined : { address, port: remote.port }
}

function comparableAddress(address: string): string | undefined {
  const version = isIP(address)
  if (version === 4) return address === '0.0.0.0' ? undefined : address
  if (version !== 6) return undefined
  // The URL parser writes IPv6 addresses in the form of RFC 5952, as the kernel does.
  const canonical = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1)
  return canonical === '::' ? undefined : canonical
}
