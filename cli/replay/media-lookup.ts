import type { SdpMedia } from '../../gateway/siprec/sdp-offer.ts'
import type { Captured, Endpoint } from './capture/datagrams.ts'
import { canonicalAddress } from './capture/ip-packet.ts'
import type { CapturedCall } from './captured-call.ts'

/** Whose media a datagram is. */
export interface MediaOwner {
  readonly call: CapturedCall
  /** Of a recording session the m-line; of a call 0 for who called and 1 for who was called. */
  readonly stream: number
  readonly isControl: boolean
}

type Side = 'own' | 'other'

interface Place {
  readonly call: CapturedCall
  readonly side: Side
  /** Of the m-line. */
  readonly index: number
  readonly isControl: boolean
}

/** Media may come a little before its description is answered, and goes on a little after the BYE. */
const BEFORE_MS = 1000
const AFTER_MS = 5000

/** Tells by the descriptions that calls exchanged which datagrams are their media. */
export class MediaLookup {
  /** By `address port`, and by port alone, for where addresses were translated on the way. */
  readonly #places = new Map<string, Place[]>()

  constructor(calls: readonly CapturedCall[]) {
    for (const call of calls) {
      for (const { own, other } of call.rounds) {
        for (const media of own) this.#add(media, { call, side: 'own' })
        for (const media of other) this.#add(media, { call, side: 'other' })
      }
    }
  }

  ownerOf({ from, to, atMs }: Pick<Captured, 'from' | 'to' | 'atMs'>): MediaOwner | undefined {
    const receiver = this.#find(keyOf(to), atMs)
    if (receiver !== undefined) return owner(receiver, receiver.side === 'own' ? 'other' : 'own')
    const sender = this.#find(keyOf(from), atMs)
    if (sender !== undefined) return owner(sender, sender.side)
    for (const place of this.#all(`${to.port}`, atMs)) {
      const isBoth = this.#all(`${from.port}`, atMs).some(
        ({ call, index, side }) =>
          call === place.call && index === place.index && side !== place.side,
      )
      if (isBoth) return owner(place, place.side === 'own' ? 'other' : 'own')
    }
    return undefined
  }

  #add(media: SdpMedia, { call, side }: Pick<Place, 'call' | 'side'>): void {
    const { kind, port, address, index, rtcpPort, isHeld } = media
    if (kind !== 'audio' || port === 0 || address === null || isHeld) return
    for (const isControl of [false, true]) {
      const at = { address, port: isControl ? (rtcpPort ?? port + 1) : port }
      for (const key of [keyOf(at), `${at.port}`]) {
        const places = this.#places.get(key) ?? []
        this.#places.set(key, places)
        const isKnown = places.some((place) => place.call === call && place.side === side)
        if (!isKnown) places.push({ call, side, index, isControl })
      }
    }
  }

  #find(key: string, atMs: number): Place | undefined {
    return this.#all(key, atMs).at(-1)
  }

  #all(key: string, atMs: number): Place[] {
    return (this.#places.get(key) ?? []).filter(({ call }) => {
      const endMs = call.endedAtMs ?? Number.POSITIVE_INFINITY
      return atMs >= call.invite.atMs - BEFORE_MS && atMs <= endMs + AFTER_MS
    })
  }
}

/** Of a recording session only what its client sends is media to be recorded. */
function owner({ call, index, isControl }: Place, sender: Side): MediaOwner | undefined {
  if (call.isRecordingSession) {
    return sender === 'own' ? { call, stream: index, isControl } : undefined
  }
  return { call, stream: sender === 'own' ? 0 : 1, isControl }
}

function keyOf({ address, port }: Endpoint): string {
  return `${canonicalAddress(address)} ${port}`
}
