import type { MessagePort } from 'node:worker_threads'
import type { Clock, Timer } from '../../base/clock.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Disk, DiskOrder, DiskOrderOf, DiskResults } from './disk.ts'
import type { DiskReply, DiskRequest } from './serve-disk.ts'

export interface DiskClientOptions {
  /** To the disk's thread. */
  readonly port: MessagePort
  readonly clock: Clock
  /** An order that has waited so long is given up: the disk hangs. */
  readonly hungAfterMs: number
}

interface Waiting {
  readonly sentAtMs: number
  readonly resolve: (result: DiskResults[DiskOrder['kind']]) => void
  readonly reject: (error: TallenneError) => void
}

const LOOK_EVERY_MS = 250

/**
 * A disk whose files another thread works on. A disk that hangs holds up that thread alone: neither the caller nor the
 * threads that Node shares among all its file calls.
 *
 * An order that was given up may be carried out all the same, once the disk answers again. `close` closes the port, and
 * with it the files.
 */
export class DiskClient implements Disk {
  readonly #port: MessagePort
  readonly #clock: Clock
  readonly #hungAfterMs: number
  /** In the order of sending. */
  readonly #waiting = new Map<number, Waiting>()
  readonly #watch: Timer
  /** Orders of this turn, which go in one message: recordings that are served together write together. */
  #unsent: DiskRequest[] = []
  #nextId = 1
  #isClosed = false

  constructor({ port, clock, hungAfterMs }: DiskClientOptions) {
    this.#port = port
    this.#clock = clock
    this.#hungAfterMs = hungAfterMs
    port.on('message', (replies: readonly DiskReply[]) => {
      for (const reply of replies) this.#take(reply)
    })
    port.on('close', () => this.#lose())
    this.#watch = clock.every(Math.min(LOOK_EVERY_MS, hungAfterMs), () => this.#giveUpOld())
  }

  /** For how long the oldest order has waited, milliseconds; 0 where none does. */
  get waitingMs(): number {
    for (const { sentAtMs } of this.#waiting.values()) return this.#clock.monotonicMs() - sentAtMs
    return 0
  }

  run<Kind extends DiskOrder['kind']>(order: DiskOrderOf<Kind>): Promise<DiskResults[Kind]> {
    if (this.#isClosed) return Promise.reject(gone())
    const request: DiskRequest = { requestId: this.#nextId++, order }
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.requestId, {
        sentAtMs: this.#clock.monotonicMs(),
        resolve: (result) => resolve(result as DiskResults[Kind]),
        reject,
      })
      // After the promises of this turn, whose continuations order more.
      if (this.#unsent.push(request) === 1) process.nextTick(() => this.#send())
    })
  }

  /** Idempotent. */
  close(): void {
    this.#port.close()
    this.#lose()
  }

  #send(): void {
    const requests = this.#unsent
    this.#unsent = []
    if (this.#isClosed) return
    this.#port.postMessage(
      requests,
      requests.flatMap(({ order }) => handedOver(order)),
    )
  }

  #take(reply: DiskReply): void {
    const waiting = this.#waiting.get(reply.requestId)
    if (waiting === undefined) return
    this.#waiting.delete(reply.requestId)
    if (reply.kind === 'done') waiting.resolve(reply.result)
    else waiting.reject(new TallenneError(reply.failure.code, reply.failure.message))
  }

  #giveUpOld(): void {
    const now = this.#clock.monotonicMs()
    for (const [requestId, { sentAtMs, reject }] of this.#waiting) {
      if (now - sentAtMs < this.#hungAfterMs) return
      this.#waiting.delete(requestId)
      const waitedMs = Math.round(now - sentAtMs)
      reject(new TallenneError('disk_hung', `the disk has not answered for ${waitedMs} ms`))
    }
  }

  #lose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#watch.cancel()
    for (const { reject } of this.#waiting.values()) reject(gone())
    this.#waiting.clear()
  }
}

function gone(): TallenneError {
  return new TallenneError('disk_gone', 'nobody works on this disk any more')
}

/** What is appended is not needed here any more. */
function handedOver(order: DiskOrder): ArrayBuffer[] {
  if (order.kind !== 'append') return []
  const { buffer, byteLength } = order.bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
}
