import type { Captured } from './datagrams.ts'

type Segment = Extract<Captured, { readonly kind: 'tcp' }>

/** What one side of a connection said, in order. */
export interface StreamBytes {
  readonly bytes: Buffer
  /** Whether something before these bytes is missing from the capture. */
  readonly isAfterGap: boolean
  /** The segment that completed them. */
  readonly segment: Segment
}

interface Side {
  /** Sequence number of the next byte. */
  next: number
  waiting: Segment[]
  waitingBytes: number
}

const MOST_SIDES = 4096
const MOST_WAITING_SEGMENTS = 256
const MOST_WAITING_BYTES = 1_048_576

/**
 * Puts the segments of TCP connections in order: what comes twice is said once, and what comes early waits. Where what
 * is missing never comes, the rest goes on behind the gap.
 */
export class TcpStreams {
  readonly #sides = new Map<string, Side>()

  /** What can be read on now, in order. */
  push(segment: Segment): readonly StreamBytes[] {
    const key = `${segment.from.address} ${segment.from.port} ${segment.to.address} ${segment.to.port}`
    const known = segment.isSyn ? undefined : this.#sides.get(key)
    // A capture may begin within a connection.
    const side = known ?? { next: segment.sequence, waiting: [], waitingBytes: 0 }
    if (known === undefined) this.#remember(key, side)
    if (segment.isSyn) side.next = (segment.sequence + 1) >>> 0
    if (segment.payload.length === 0) return []
    side.waiting.push(segment)
    side.waitingBytes += segment.payload.length
    return drain(side, false)
  }

  /** Nothing more comes: what waits for what is missing is given. */
  finish(): readonly StreamBytes[] {
    return [...this.#sides.values()].flatMap((side) => drain(side, true))
  }

  #remember(key: string, side: Side): void {
    const [oldest] = this.#sides.keys()
    if (this.#sides.size >= MOST_SIDES && oldest !== undefined) this.#sides.delete(oldest)
    this.#sides.set(key, side)
  }
}

function drain(side: Side, isEnd: boolean): StreamBytes[] {
  const read: StreamBytes[] = []
  let isAfterGap = false
  while (side.waiting.length > 0) {
    const index = nextOf(side)
    const segment = side.waiting[index]
    if (segment === undefined) break
    const ahead = distance(side.next, segment.sequence)
    if (ahead > 0) {
      const isFull =
        side.waiting.length > MOST_WAITING_SEGMENTS || side.waitingBytes > MOST_WAITING_BYTES
      if (!isEnd && !isFull) break
      side.next = segment.sequence
      isAfterGap = true
      continue
    }
    side.waiting.splice(index, 1)
    side.waitingBytes -= segment.payload.length
    // A repeated segment may carry more than the first time.
    const bytes = segment.payload.subarray(-ahead)
    if (bytes.length === 0) continue
    side.next = (side.next + bytes.length) >>> 0
    read.push({ bytes, isAfterGap, segment })
    isAfterGap = false
  }
  return read
}

function nextOf({ next, waiting }: Side): number {
  let best = 0
  for (const [index, { sequence }] of waiting.entries()) {
    const than = waiting[best]?.sequence ?? sequence
    if (distance(next, sequence) < distance(next, than)) best = index
  }
  return best
}

/** From one sequence number to another, negative backwards; they wrap at 32 bits. */
function distance(from: number, to: number): number {
  return (to - from) | 0
}
