import type { MessagePort } from 'node:worker_threads'
import type { DiskFailure, DiskOrder, DiskResults } from './disk.ts'
import { DiskWork, failureOf } from './disk-work.ts'

/** An order as it passes between threads. */
export interface DiskRequest {
  readonly requestId: number
  readonly order: DiskOrder
}

export type DiskReply = { readonly requestId: number } & (
  | { readonly kind: 'done'; readonly result: DiskResults[DiskOrder['kind']] }
  | { readonly kind: 'failed'; readonly failure: DiskFailure }
)

/** Serves one client's orders on this thread, as they come by turns and in their order, until its port closes; then closes its files. */
export function serveDisk(port: MessagePort): void {
  const work = new DiskWork()
  port.on('message', (requests: readonly DiskRequest[]) => {
    port.postMessage(requests.map((request) => replyTo(request, work)))
  })
  port.on('close', () => work.close())
}

function replyTo({ requestId, order }: DiskRequest, work: DiskWork): DiskReply {
  try {
    return { requestId, kind: 'done', result: work.carryOut(order) }
  } catch (error) {
    return { requestId, kind: 'failed', failure: failureOf(error) }
  }
}
