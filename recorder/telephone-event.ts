const PAYLOAD_BYTES = 4

/**
 * A telephone-event's payload (RFC 4733 §2.3).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     event     |E|R| volume    |          duration             |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface TelephoneEvent {
  readonly event: number
  readonly isEnd: boolean
  /** Timestamp units since the packet's timestamp. */
  readonly duration: number
}

/** Undefined where the payload is too short to be one. */
export function readTelephoneEvent(payload: Uint8Array): TelephoneEvent | undefined {
  const [event, flags, high, low] = payload
  if (payload.length < PAYLOAD_BYTES) return undefined
  if (event === undefined || flags === undefined || high === undefined || low === undefined) {
    return undefined
  }
  return { event, isEnd: (flags & 0x80) !== 0, duration: (high << 8) | low }
}

const KEYS = '0123456789*#ABCD'

/** The key of a DTMF event (RFC 4733 §3.2); undefined for any other event. */
export function keyOf(event: number): string | undefined {
  return KEYS[event]
}

/** Presses that were told of last are remembered, as their packets may come again, or late. */
const REMEMBERED = 8

/**
 * Tells key presses of one source from its telephone-event packets, each press once: at its first packet that comes,
 * whichever it is, since a press is sent a dozen times and any of them may be lost.
 *
 * Packets of a press share a timestamp. A press longer than the duration's 16 bits goes on as another segment, whose
 * timestamp is where the last one, which had no end, got to (RFC 4733 §2.5.1.3): that is the same press.
 *
 * What was pressed may be a card number: it is for deciding, never for rows, logs or metrics.
 */
export class KeyPresses {
  readonly #told: { timestamp: number; event: number; end: number; isEnded: boolean }[] = []

  /** The key where the packet tells of a new press, else undefined. `timestamp` is as in the packet. */
  hear(timestamp: number, payload: Uint8Array): string | undefined {
    const read = readTelephoneEvent(payload)
    const key = read && keyOf(read.event)
    if (read === undefined || key === undefined) return undefined
    const { event, duration, isEnd } = read
    const end = (timestamp + duration) >>> 0
    for (const press of this.#told) {
      if (press.event !== event) continue
      const isSegment = !press.isEnded && press.end === timestamp
      if (press.timestamp !== timestamp && !isSegment) continue
      if (isSegment) press.timestamp = timestamp
      if ((end - press.end) >>> 0 < 0x8000_0000) press.end = end
      press.isEnded ||= isEnd
      return undefined
    }
    this.#told.push({ timestamp, event, end, isEnded: isEnd })
    if (this.#told.length > REMEMBERED) this.#told.shift()
    return key
  }

  /** Another source speaks, whose timestamps say nothing about the ones before. */
  restart(): void {
    this.#told.length = 0
  }
}
