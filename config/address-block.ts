import { isIP } from 'node:net'
import { z } from 'zod'

/** Source addresses, as they stand in the configuration. */
export const addressBlock = z
  .string()
  .regex(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, 'an address or a block, as 192.0.2.0/24')

/** What the pattern cannot tell: whether it is an address, and the length is one of its family's. */
export function isAddressBlock(block: string): boolean {
  const [address = '', length] = block.split('/')
  const version = isIP(address)
  return version !== 0 && (length === undefined || Number(length) <= (version === 4 ? 32 : 128))
}
