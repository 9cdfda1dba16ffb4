import { z } from 'zod'
import type { Log } from '../../../base/log.ts'
import { askEventSocket, type EventSocketAddress } from './event-socket.ts'

const ANSWER_MS = 3000

/** `show channels as json`, as much of it as counts; without channels the rows are absent. */
const channelsAnswer = z.object({
  rows: z
    .array(z.object({ uuid: z.string().regex(/^[\w-]{1,64}$/), cid_num: z.string() }))
    .optional(),
})

export interface NodeIdentity {
  readonly nodeId: string
  /** Where FreeSWITCH reaches the node. */
  readonly address: string
}

/**
 * The number under which a node's endpoints call FreeSWITCH, by which it knows its own again. The address belongs to
 * it, so that nodes which were left the same id by mistake spare each other.
 */
export function callerOf({ nodeId, address }: NodeIdentity): string {
  return `tallenne-${nodeId}-${address.replace(/[^\w.-]/g, '-')}`
}

/**
 * Hangs up the node's channels that no endpoint of this process stands for: what an earlier run left when FreeSWITCH
 * did not notice its end, as after a loss of power. Tells how many. Rejects with `no_media_server`.
 */
export async function hangUpLeftovers(
  server: EventSocketAddress,
  {
    node,
    isOurs,
    log,
  }: {
    readonly node: NodeIdentity
    /** Whether an endpoint of this process has that channel. */
    readonly isOurs: (uuid: string) => boolean
    readonly log: Log
  },
): Promise<number> {
  const caller = callerOf(node)
  const answer = channelsAnswer.safeParse(
    parseJson(await askEventSocket(server, 'show channels as json', ANSWER_MS)),
  )
  const leftovers = (answer.data?.rows ?? []).filter(
    ({ uuid, cid_num }) => cid_num === caller && !isOurs(uuid),
  )
  for (const { uuid } of leftovers) await askEventSocket(server, `uuid_kill ${uuid}`, ANSWER_MS)
  if (leftovers.length > 0)
    log.warn({ channels: leftovers.length }, 'hung up what an earlier run had left')
  return leftovers.length
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
