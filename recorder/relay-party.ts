import { comparableSource } from './expected-source.ts'
import type { MediaAddress, RelayPlan } from './recording-plan.ts'
import type { SocketPair } from './rtp-sockets.ts'
import type { StreamProtection } from './srtp/stream-protection.ts'

/**
 * The party at one stream of a call that passes through, as the target of what the other party says: where it takes
 * RTP and RTCP, and the sockets from which it expects them.
 *
 * Where packets are accepted from is where they are sent to (symmetric RTP, RFC 4961); before any came, and after a
 * re-offer with another address, it is the signalled address. Owns nothing.
 */
export class RelayParty {
  readonly #sockets: SocketPair
  readonly #protection: StreamProtection
  #signalled: MediaAddress | undefined
  #signalledControl: MediaAddress | undefined
  #learned: MediaAddress | undefined
  #learnedControl: MediaAddress | undefined
  /** It asked for nothing to be sent (an unspecified address, RFC 3264 §8.4). */
  #isMuted = false

  /** What is sent to the party is protected as it is agreed on with it. */
  constructor(sockets: SocketPair, protection: StreamProtection) {
    this.#sockets = sockets
    this.#protection = protection
  }

  /** Takes what an offer or answer says of where the party takes media. */
  signal(remote: MediaAddress | undefined, relay: RelayPlan | undefined): void {
    const signalled = comparableSource(remote)
    this.#isMuted = relay?.isMuted ?? false
    if (signalled === undefined) return
    const control = controlOf(signalled, relay?.rtcpPort)
    if (!isSame(signalled, this.#signalled)) this.#learned = undefined
    if (!isSame(control, this.#signalledControl)) this.#learnedControl = undefined
    this.#signalled = signalled
    this.#signalledControl = control
  }

  /** Media comes from here now. */
  learn(source: MediaAddress | undefined): void {
    if (source === undefined) return
    if (!isSame(source, this.#learned)) this.#learnedControl = undefined
    this.#learned = source
  }

  /** RTCP comes from here now. */
  learnControl(source: MediaAddress): void {
    this.#learnedControl = source
  }

  /** Whether RTCP from this host is the party's own. */
  isHost(address: string): boolean {
    return address === (this.#learned ?? this.#signalled)?.address
  }

  /** Sends a packet that is in the clear here. False where the party takes nothing now. */
  send(packet: Uint8Array): boolean {
    const target = this.#learned ?? this.#signalled
    if (target === undefined || this.#isMuted) return false
    const datagram = this.#protection.sealRtp(packet)
    if (datagram === undefined) return false
    // Without a callback a failure is nobody's: the next packet tries again.
    this.#sockets.rtp.send(datagram, target.port, target.address)
    return true
  }

  sendControl(packet: Uint8Array): boolean {
    const target =
      this.#learnedControl ??
      (this.#learned === undefined ? this.#signalledControl : controlOf(this.#learned, undefined))
    if (target === undefined || this.#isMuted) return false
    const datagram = this.#protection.sealRtcp(packet)
    if (datagram === undefined) return false
    this.#sockets.rtcp.send(datagram, target.port, target.address)
    return true
  }
}

function controlOf(media: MediaAddress, rtcpPort: number | undefined): MediaAddress | undefined {
  const port = rtcpPort ?? media.port + 1
  return port > 65_535 ? undefined : { address: media.address, port }
}

function isSame(a: MediaAddress | undefined, b: MediaAddress | undefined): boolean {
  return a?.address === b?.address && a?.port === b?.port
}
