import { TallenneError } from '../../base/tallenne-error.ts'
import type { SiprecPeer } from '../../config/siprec-config.ts'
import { AddressBlocks } from '../sip/address-blocks.ts'
import type { SessionPlane } from './session-plane.ts'

export type SessionPlanes = Readonly<Partial<Record<SiprecPeer['media'], SessionPlane>>>

/** Which plane a recording client's sessions have their media on: the first peer's that its address fits, else direct. */
export class PeerPlanes {
  readonly #peers: readonly { readonly blocks: AddressBlocks; readonly plane: SessionPlane }[]
  readonly #direct: SessionPlane

  /** Throws `no_media_plane` where a peer wants one that does not run. */
  constructor(planes: SessionPlanes, peers: readonly SiprecPeer[]) {
    const planeOf = (media: SiprecPeer['media']) => {
      const plane = planes[media]
      if (plane !== undefined) return plane
      throw new TallenneError('no_media_plane', `no ${media} plane runs for recording sessions`)
    }
    this.#direct = planeOf('direct')
    this.#peers = peers.map(({ from, media }) => ({
      blocks: new AddressBlocks(from),
      plane: planeOf(media),
    }))
  }

  /** Each of them once. */
  get all(): readonly SessionPlane[] {
    return [...new Set([this.#direct, ...this.#peers.map(({ plane }) => plane)])]
  }

  /** For the address that an INVITE came from. */
  planeFor(peerAddress: string): SessionPlane {
    return this.#peers.find(({ blocks }) => blocks.has(peerAddress))?.plane ?? this.#direct
  }
}
