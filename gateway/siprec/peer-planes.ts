import { TallenneError } from '../../base/tallenne-error.ts'
import type { SiprecPeer } from '../../config/siprec-config.ts'
import type { SrtpPolicy } from '../../config/srtp-config.ts'
import type { CallSource } from '../calls/call-events.ts'
import { AddressBlocks } from '../sip/address-blocks.ts'
import type { MediaCapabilities } from './media-capabilities.ts'
import type { SessionPlane } from './session-plane.ts'

export type SessionPlanes = Readonly<Partial<Record<SiprecPeer['media'], SessionPlane>>>

/** A recording client that is treated apart. */
interface PeerPlane {
  readonly source: CallSource
  readonly blocks: AddressBlocks
  readonly plane: SessionPlane
  readonly srtp: SrtpPolicy | undefined
  readonly inactive: SiprecPeer['inactive']
}

/** A recording client that the configuration says nothing of. */
export const UNNAMED: CallSource = { capture: 'siprec', peer: 'other', plane: 'direct' }

/**
 * Which plane a recording client's sessions have their media on, and what is asked of their protection there: by the
 * first peer that its address fits, else directly and as all others.
 */
export class PeerPlanes {
  readonly #peers: readonly PeerPlane[]
  readonly #srtp: SrtpPolicy
  readonly #direct: SessionPlane

  /** Throws `no_media_plane` where a peer wants one that does not run. */
  constructor(
    planes: SessionPlanes,
    { peers, srtp }: { readonly peers: readonly SiprecPeer[]; readonly srtp: SrtpPolicy },
  ) {
    const planeOf = (media: SiprecPeer['media']) => {
      const plane = planes[media]
      if (plane !== undefined) return plane
      throw new TallenneError('no_media_plane', `no ${media} plane runs for recording sessions`)
    }
    this.#direct = planeOf('direct')
    this.#srtp = srtp
    this.#peers = peers.map(({ name, from, media, srtp: own, inactive }) => ({
      source: { capture: 'siprec', peer: name, plane: media },
      blocks: new AddressBlocks(from),
      inactive,
      plane: planeOf(media),
      srtp: own,
    }))
  }

  /** Each of them once. */
  get all(): readonly SessionPlane[] {
    return [...new Set([this.#direct, ...this.#peers.map(({ plane }) => plane)])]
  }

  /** For the address that an INVITE came from. */
  planeFor(peerAddress: string): SessionPlane {
    return this.#peerAt(peerAddress)?.plane ?? this.#direct
  }

  /** What sessions from that address are counted as. */
  sourceOf(peerAddress: string): CallSource {
    return this.#peerAt(peerAddress)?.source ?? UNNAMED
  }

  /** What the plane may answer to that address. */
  capabilitiesFor(peerAddress: string): MediaCapabilities {
    const { capabilities } = this.planeFor(peerAddress)
    if (capabilities.srtp === undefined) return capabilities
    return { ...capabilities, srtp: this.#peerAt(peerAddress)?.srtp ?? this.#srtp }
  }

  /** What a re-offer from that address means that is inactive and says no more. */
  inactiveMeans(peerAddress: string): 'pause' | 'hold' {
    return this.#peerAt(peerAddress)?.inactive ?? 'pause'
  }

  #peerAt(address: string): PeerPlane | undefined {
    return this.#peers.find(({ blocks }) => blocks.has(address))
  }
}
