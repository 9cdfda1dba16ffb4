import { TallenneError } from '../../base/tallenne-error.ts'
import type { SiprecPeer } from '../../config/siprec-config.ts'
import type { SrtpPolicy } from '../../config/srtp-config.ts'
import type { CallSource } from '../calls/call-events.ts'
import { type PeerIdentity, PeerMatch } from '../sip/peer-identity.ts'
import type { MediaCapabilities } from './media-capabilities.ts'
import type { SessionPlane } from './session-plane.ts'

export type SessionPlanes = Readonly<Partial<Record<SiprecPeer['media'], SessionPlane>>>

/** A recording client that is treated apart. */
interface PeerPlane {
  readonly source: CallSource
  readonly match: PeerMatch
  readonly plane: SessionPlane
  readonly srtp: SrtpPolicy | undefined
  readonly inactive: SiprecPeer['inactive']
}

/** A recording client that the configuration says nothing of. */
export const UNNAMED: CallSource = { capture: 'siprec', peer: 'other', plane: 'direct' }

/**
 * Which plane a recording client's sessions have their media on, and what is asked of their protection there: by the
 * first peer that it fits by address and certificate, else directly and as all others.
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
    this.#peers = peers.map((peer) => ({
      source: { capture: 'siprec', peer: peer.name, plane: peer.media },
      match: new PeerMatch(peer),
      inactive: peer.inactive,
      plane: planeOf(peer.media),
      srtp: peer.srtp,
    }))
  }

  /** Each of them once. */
  get all(): readonly SessionPlane[] {
    return [...new Set([this.#direct, ...this.#peers.map(({ plane }) => plane)])]
  }

  /** For whom an INVITE came from. */
  planeFor(client: PeerIdentity): SessionPlane {
    return this.#peerOf(client)?.plane ?? this.#direct
  }

  /** What sessions of that client are counted as. */
  sourceOf(client: PeerIdentity): CallSource {
    return this.#peerOf(client)?.source ?? UNNAMED
  }

  /** What the plane may answer to that client. */
  capabilitiesFor(client: PeerIdentity): MediaCapabilities {
    const { capabilities } = this.planeFor(client)
    if (capabilities.srtp === undefined) return capabilities
    return { ...capabilities, srtp: this.#peerOf(client)?.srtp ?? this.#srtp }
  }

  /** What a re-offer from that client means that is inactive and says no more. */
  inactiveMeans(client: PeerIdentity): 'pause' | 'hold' {
    return this.#peerOf(client)?.inactive ?? 'pause'
  }

  #peerOf(client: PeerIdentity): PeerPlane | undefined {
    return this.#peers.find(({ match }) => match.has(client))
  }
}
