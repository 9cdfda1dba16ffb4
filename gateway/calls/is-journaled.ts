import type { Clock } from '../../base/clock.ts'
import { settledWithin } from '../../base/settled-within.ts'
import type { ContactRecord } from './contact-record.ts'

/** A caller waits so long for an answer that is held back: by then the journal's disk is known to hang. */
export const JOURNAL_PATIENCE_MS = 2000

/** Whether the journal has all that contacts have told it until now, or has it within the time that an answer may wait. */
export function isJournaled(
  contacts: readonly Pick<ContactRecord, 'written'>[],
  clock: Clock,
): Promise<boolean> {
  const written = Promise.all(contacts.map((contact) => contact.written()))
  return settledWithin(written, { clock, limitMs: JOURNAL_PATIENCE_MS })
}
