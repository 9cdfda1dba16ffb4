import { setTimeout as delay } from 'node:timers/promises'
import { contactPageSchema } from '../../portal/view-schemas.ts'
import type { ContactView, RecordingView } from '../../storage/model.ts'
import type { PortalClient } from './portal-client.ts'

const ASK_EVERY_MS = 100

/** The contact of a Call-ID and its last recording, when that has its verdict; undefined where it has none in time. */
export async function awaitVerdict(
  callId: string,
  { client, withinMs }: { readonly client: PortalClient; readonly withinMs: number },
): Promise<{ readonly contact: ContactView; readonly recording: RecordingView } | undefined> {
  const path = `/api/contacts?callId=${encodeURIComponent(callId)}`
  const giveUpMs = performance.now() + withinMs
  while (performance.now() < giveUpMs) {
    const { items } = await client.read(path, contactPageSchema)
    const [contact] = items
    const recording = contact?.recordings.at(-1)
    if (contact && contact.endedAt !== null && recording && recording.state !== 'recording') {
      return { contact, recording }
    }
    await delay(ASK_EVERY_MS)
  }
  return undefined
}
