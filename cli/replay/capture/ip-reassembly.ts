import type { Fragment, IpPacket } from './ip-packet.ts'

const MOST_PENDING = 256
const MOST_PIECES = 64
const MOST_BYTES = 65_535
/** RFC 791 §3.2 and RFC 8200 §4.5 give up after 15 and 60 seconds. */
const GIVEN_UP_AFTER_MS = 60_000

interface Pending {
  /** Of the first fragment that came. */
  readonly packet: number
  readonly sinceMs: number
  readonly pieces: { readonly offset: number; readonly payload: Buffer }[]
  /** Known once the last fragment came. */
  length: number | undefined
  protocol: number
}

/** Puts the fragments of IP packets together again. What is missing pieces is given up in time, or to make room. */
export class IpReassembly {
  readonly #pending = new Map<string, Pending>()
  readonly #onGivenUp: (packet: number) => void

  /** `onGivenUp` is told the number of the packet that held the first fragment of what never became whole. */
  constructor(onGivenUp: (packet: number) => void) {
    this.#onGivenUp = onGivenUp
  }

  /** The packet itself where it is whole; the whole one where this was its last missing piece; else undefined. */
  add(ip: IpPacket, packet: number, atMs: number): IpPacket | undefined {
    const { fragment } = ip
    if (fragment === undefined) return ip
    // A fragment that was not captured whole leaves a hole.
    if (ip.isCut) return undefined
    const key = `${ip.source} ${ip.destination} ${fragment.id}`
    const pending = this.#pendingFor(key, { ip, packet, atMs })
    if (!take(pending, ip, fragment)) {
      this.#giveUp(key, pending)
      return undefined
    }
    const payload = join(pending)
    if (payload === undefined) return undefined
    this.#pending.delete(key)
    return { ...ip, protocol: pending.protocol, payload, fragment: undefined }
  }

  /** Nothing more comes: what is not whole never will be. */
  finish(): void {
    for (const [key, pending] of this.#pending) this.#giveUp(key, pending)
  }

  #pendingFor(key: string, { ip, packet, atMs }: { ip: IpPacket; packet: number; atMs: number }) {
    for (const [oldest, pending] of this.#pending) {
      const isOld = atMs - pending.sinceMs > GIVEN_UP_AFTER_MS
      if (!isOld && this.#pending.size < MOST_PENDING) break
      this.#giveUp(oldest, pending)
    }
    const known = this.#pending.get(key)
    if (known !== undefined) return known
    const { protocol } = ip
    const pending: Pending = { packet, sinceMs: atMs, pieces: [], length: undefined, protocol }
    this.#pending.set(key, pending)
    return pending
  }

  #giveUp(key: string, pending: Pending): void {
    this.#pending.delete(key)
    this.#onGivenUp(pending.packet)
  }
}

/** False where the pieces cannot belong together. */
function take(pending: Pending, { payload, protocol }: IpPacket, fragment: Fragment): boolean {
  const { offset, isLast } = fragment
  const end = offset + payload.length
  if (end > MOST_BYTES || pending.pieces.length >= MOST_PIECES) return false
  if (isLast) pending.length = end
  // In IPv6 only the first fragment tells what the payload is, behind further headers.
  if (offset === 0) pending.protocol = protocol
  pending.pieces.push({ offset, payload })
  return true
}

function join({ pieces, length }: Pending): Buffer | undefined {
  if (length === undefined) return undefined
  const whole = Buffer.alloc(length)
  let end = 0
  for (const { offset, payload } of pieces.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > end || offset + payload.length > length) return undefined
    payload.copy(whole, offset)
    end = Math.max(end, offset + payload.length)
  }
  return end === length ? whole : undefined
}
