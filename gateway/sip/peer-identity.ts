import { isLetInAs } from '../sip-server/certificate-names.ts'
import { AddressBlocks } from './address-blocks.ts'
import type { SipRequest } from './sip-surface.ts'

/** Whom a request came from. */
export interface PeerIdentity {
  readonly address: string
  /** Names that its certificate has proven; none without TLS. */
  readonly names: readonly string[]
}

export type ReadIdentity = (
  request: Pick<SipRequest, 'source_address' | 'source_port' | 'protocol'>,
) => PeerIdentity

/** For SIP servers that do not tell what certificates prove. */
export const identityByAddress: ReadIdentity = ({ source_address: address }) => ({
  address,
  names: [],
})

/** How the configuration tells a peer by what it cannot choose freely. */
export interface PeerConditions {
  /** Addresses and blocks. */
  readonly from?: readonly string[] | undefined
  /** Names of which its certificate must have one. */
  readonly tlsNames?: readonly string[] | undefined
}

/** Whether a source is the one that the configuration means: by all conditions that it names. Without any, everybody is. */
export class PeerMatch {
  readonly #blocks: AddressBlocks
  readonly #names: readonly string[] | undefined

  constructor({ from, tlsNames }: PeerConditions) {
    this.#blocks = new AddressBlocks(from)
    this.#names = tlsNames
  }

  has({ address, names }: PeerIdentity): boolean {
    if (!this.#blocks.has(address)) return false
    return this.#names === undefined || this.#names.some((wanted) => isLetInAs(names, wanted))
  }
}
