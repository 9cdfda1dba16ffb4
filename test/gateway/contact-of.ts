import { findContacts } from '../../storage/contact-queries.ts'
import type { Pool } from '../../storage/database.ts'
import type { ContactView } from '../../storage/model.ts'
import { until } from '../until.ts'

/** Waits until the database has the call's contact as `matches` wants it. */
export async function contactOf(
  pool: Pool,
  callId: string,
  matches: (contact: ContactView) => boolean = () => true,
): Promise<ContactView> {
  let newest: ContactView | undefined
  try {
    return await until(async () => {
      const { items } = await findContacts(pool, { callId, limit: 10 }, Date.now())
      if (items.length > 1) throw new Error(`${items.length} contacts of ${callId}`)
      newest = items[0]
      return newest !== undefined && matches(newest) && newest
    }, 20)
  } catch (error) {
    throw new Error(`the contact of ${callId}: ${JSON.stringify(newest)}`, { cause: error })
  }
}

/** The call is over, and each of its recordings has its verdict. */
export function hasEnded({ endedAt, recordings }: ContactView): boolean {
  return endedAt !== null && recordings.every(({ state }) => state !== 'recording')
}

/** Its first recording has begun, and so has its row. */
export function isRecorded({ recordings }: ContactView): boolean {
  return recordings.length === 1
}
