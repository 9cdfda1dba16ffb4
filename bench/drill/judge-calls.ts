import type { ContactView } from '../../storage/model.ts'
import type { DrillCall } from './drill-load.ts'
import {
  type HeardAudio,
  hearParty,
  type LostStretch,
  lostStretches,
  PACKET_MS,
} from './hear-party.ts'
import { type Site, waitFor } from './site.ts'

/** A verdict that did not come by then is a fault by itself. */
const VERDICT_MS = 60_000

export interface JudgedCall {
  readonly contact: ContactView
  /** What cannot be heard of the caller and of the agent; undefined where nobody listened. */
  readonly lost: readonly (readonly LostStretch[])[] | undefined
  /** Nothing of a recording that has audio by its verdict can be played. */
  readonly isUnplayable: boolean
}

/** How a call is judged. */
export interface Judging {
  /** When what was sent could be recorded no more, epoch milliseconds. */
  readonly untilMs?: number | undefined
  /** Whether it is listened to. */
  readonly isHeard?: boolean
}

/** What became of a call; undefined where it has not exactly one contact with its verdict a minute after its end. */
export async function judgeCall(
  site: Site,
  call: DrillCall,
  { untilMs = Number.POSITIVE_INFINITY, isHeard = true }: Judging = {},
): Promise<JudgedCall | undefined> {
  let contacts: readonly ContactView[] = []
  await waitFor(async () => {
    contacts = await site.contactsOf(call.callId).catch(() => [])
    return contacts.length > 1 || (contacts[0] !== undefined && isJudged(contacts[0]))
  }, VERDICT_MS)
  const [contact] = contacts
  if (contact === undefined || contacts.length > 1 || !isJudged(contact)) return undefined
  if (!isHeard) return { contact, lost: undefined, isUnplayable: false }
  const sides: [HeardAudio[], HeardAudio[]] = [[], []]
  let isUnplayable = false
  for (const recording of contact.recordings) {
    const audio = await site.audioOf(recording)
    audio?.forEach((side, at) => {
      sides[at]?.push(side)
    })
    isUnplayable ||= audio === undefined && (recording.durationMs ?? 0) > 0
  }
  // What began after the fault is judged whole.
  const endMs = untilMs > call.startedAtMs ? untilMs : Number.POSITIVE_INFINITY
  const recordable = Math.floor((endMs - call.startedAtMs) / PACKET_MS)
  // Of the last packet the BYE cuts what would have been heard after it.
  const packets = Math.max(0, Math.min(call.packets - 1, recordable))
  const lost = sides.map((recordings, at) => {
    const sent = { party: 2 * call.index + at, startedAtMs: call.startedAtMs, packets }
    return lostStretches(hearParty(sent, recordings))
  })
  return { contact, lost, isUnplayable }
}

/** Milliseconds of the longest stretch that either party lost; 0 where nobody listened. */
export function longestLossMs({ lost = [] }: JudgedCall): number {
  return Math.max(0, ...lost.flat().map(({ lengthMs }) => lengthMs))
}

/** Whether a contact's call is over, and each of its recordings has its verdict. */
export function isJudged({ endedAt, recordings }: ContactView): boolean {
  return (
    endedAt !== null &&
    recordings.length > 0 &&
    recordings.every(({ state }) => state !== 'recording')
  )
}
