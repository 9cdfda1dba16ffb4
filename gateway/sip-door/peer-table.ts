import type { SipPeer } from '../../config/sip-door-config.ts'
import { AddressBlocks } from '../sip/address-blocks.ts'
import type { Credentials } from '../sip/digest-session.ts'
import { type PeerConditions, type PeerIdentity, PeerMatch } from '../sip/peer-identity.ts'

export type Standing =
  /** Let in by what it cannot choose freely. */
  | { readonly kind: 'peer' }
  /** Let in where it proves to be one of these. */
  | { readonly kind: 'claimant'; readonly credentials: readonly Credentials[] }
  | { readonly kind: 'stranger' }

/** Who may call, by address, certificate or credentials. */
export class PeerTable {
  readonly #plain: readonly PeerMatch[]
  readonly #digest: readonly { readonly sources: PeerMatch; readonly credentials: Credentials }[]
  readonly #addresses: AddressBlocks
  /** Whether some are told by their certificates alone. */
  readonly hasNamed: boolean

  constructor(options: {
    readonly peers: readonly SipPeer[]
    /** Of recording clients and trunk routes; those that name nothing let nobody in. */
    readonly others: readonly PeerConditions[]
    /** Those of ours that requests within calls come from: targets of trunk routes. */
    readonly targets: readonly string[]
  }) {
    const named = [...options.peers, ...options.others].filter(isCondition)
    this.#plain = [
      ...options.peers.filter(({ digest }) => digest === undefined),
      ...options.others.filter(isCondition),
    ].map((one) => new PeerMatch(one))
    this.#digest = options.peers.flatMap((one) => {
      if (one.digest === undefined) return []
      return [{ sources: new PeerMatch(one), credentials: one.digest }]
    })
    this.#addresses = new AddressBlocks([
      ...named.flatMap(({ from }) => from ?? []),
      ...options.targets,
    ])
    this.hasNamed = named.some(({ tlsNames }) => tlsNames !== undefined)
  }

  standingOf(source: PeerIdentity): Standing {
    if (this.#plain.some((sources) => sources.has(source))) return { kind: 'peer' }
    const claims = this.#digest.filter(({ sources }) => sources.has(source))
    if (claims.length === 0) return { kind: 'stranger' }
    return { kind: 'claimant', credentials: claims.map(({ credentials }) => credentials) }
  }

  /** Whether the configuration names that address, or a certificate that the source has shown. */
  isConfigured(source: PeerIdentity): boolean {
    if (this.#addresses.has(source.address)) return true
    return source.names.length > 0 && this.standingOf(source).kind === 'peer'
  }
}

/** Where neither is named everybody is meant, which makes nobody known. */
function isCondition({ from, tlsNames }: PeerConditions): boolean {
  return from !== undefined || tlsNames !== undefined
}
