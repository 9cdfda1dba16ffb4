import type { MessagePort } from 'node:worker_threads'
import type { Clock, Timer } from '../../base/clock.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Disk, DiskOrder, DiskOrderOf, DiskResults } from './disk.ts'
import type { DiskReply, DiskRequest } from './serve-disk.ts'

export interface DiskClientOptions {
  /** A connection to the disk's thread: brings a port to it, and another one to each that takes its place. */
  readonly ports: MessagePort
  readonly clock: Clock
  /** An order that has waited so long is given up: the disk hangs. */
  readonly hungAfterMs: number
}

interface Waiting {
  readonly request: DiskRequest
  readonly sentAtMs: number
  /** Threads that were given it. */
  tries: number
  readonly resolve: (result: DiskResults[DiskOrder['kind']]) => void
  readonly reject: (error: TallenneError) => void
}

const LOOK_EVERY_MS = 250
/** What so many threads died of is not given to another: it may be why. */
const MOST_TRIES = 3

/**
 * A disk whose files another thread works on. A disk that hangs holds up that thread alone: neither the caller nor the
 * threads that Node shares among all its file calls. A thread that dies is followed by another, which is given all that
 * this one had not answered.
 *
 * An order that was given up may be carried out all the same, once the disk answers again. `close` closes the
 * connection, and with it the files.
 */
export class DiskClient implements Disk {
  readonly #ports: MessagePort
  readonly #clock: Clock
  readonly #hungAfterMs: number
  /** In the order of sending. */
  readonly #waiting = new Map<number, Waiting>()
  readonly #watch: Timer
  /** Undefined until the first thread is there. */
  #port: MessagePort | undefined
  /** Orders of this turn, which go in one message: recordings that are served together write together. */
  #unsent: Waiting[] = []
  #nextId = 1
  #isClosed = false

  constructor({ ports, clock, hungAfterMs }: DiskClientOptions) {
    this.#ports = ports
    this.#clock = clock
    this.#hungAfterMs = hungAfterMs
    ports.on('message', (port: MessagePort) => this.#turnTo(port))
    ports.on('close', () => this.#lose())
    this.#watch = clock.every(Math.min(LOOK_EVERY_MS, hungAfterMs), () => this.#giveUpOld())
  }

  run<Kind extends DiskOrder['kind']>(order: DiskOrderOf<Kind>): Promise<DiskResults[Kind]> {
    if (this.#isClosed) return Promise.reject(gone())
    const request: DiskRequest = { requestId: this.#nextId++, order }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        request,
        sentAtMs: this.#clock.monotonicMs(),
        tries: 0,
        resolve: (result) => resolve(result as DiskResults[Kind]),
        reject,
      }
      this.#waiting.set(request.requestId, waiting)
      // After the promises of this turn, whose continuations order more.
      if (this.#unsent.push(waiting) === 1) process.nextTick(() => this.#sendUnsent())
    })
  }

  /** Idempotent. */
  close(): void {
    this.#ports.close()
    this.#lose()
  }

  #turnTo(port: MessagePort): void {
    if (this.#isClosed) {
      port.close()
      return
    }
    this.#port?.close()
    this.#port = port
    port.on('message', (replies: readonly DiskReply[]) => {
      for (const reply of replies) this.#take(reply)
    })
    for (const [requestId, { tries, reject }] of this.#waiting) {
      if (tries < MOST_TRIES) continue
      this.#waiting.delete(requestId)
      reject(new TallenneError('disk_gone', `${tries} threads died that were to do it`))
    }
    this.#unsent = []
    this.#send([...this.#waiting.values()])
  }

  #sendUnsent(): void {
    const unsent = this.#unsent
    this.#unsent = []
    this.#send(unsent)
  }

  /** What a thread does not hear that has just died is sent to the next one. */
  #send(orders: readonly Waiting[]): void {
    if (this.#port === undefined || orders.length === 0) return
    for (const order of orders) order.tries++
    this.#port.postMessage(orders.map(({ request }) => request))
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
    this.#port?.close()
    for (const { reject } of this.#waiting.values()) reject(gone())
    this.#waiting.clear()
  }
}

function gone(): TallenneError {
  return new TallenneError('disk_gone', 'nobody works on this disk any more')
}
