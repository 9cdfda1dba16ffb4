import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Address } from '../../base/address.ts'
import { TallenneError } from '../../base/tallenne-error.ts'

/** Reads `192.0.2.10:5060`, `[2001:db8::1]:5060` or `name:5060`. Throws `option_value`. */
export function readAddress(text: string, option: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || port < 1 || port > 65_535) {
    throw new TallenneError(
      'option_value',
      `${option} is ${text}, but an address and a port are needed, as 192.0.2.10:5060 or [2001:db8::1]:5060.`,
    )
  }
  return { host, port }
}

/** This machine's IPv4 addresses that others can reach. */
export function outsideAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address, internal }) => !internal && isIPv4(address))
    .map(({ address }) => address)
}
