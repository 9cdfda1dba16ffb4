import { BlockList, isIPv6 } from 'node:net'

/** Source addresses by blocks, as the configuration names them: an address, or one with a prefix length. */
export class AddressBlocks {
  /** Undefined takes any address. */
  readonly #list: BlockList | undefined

  constructor(blocks: readonly string[] | undefined) {
    this.#list = blocks && blockListOf(blocks)
  }

  has(address: string): boolean {
    return this.#list === undefined || this.#list.check(address, familyOf(address))
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}

function blockListOf(blocks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const block of blocks) {
    const [address = '', length] = block.split('/')
    if (length === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(length), familyOf(address))
  }
  return list
}
