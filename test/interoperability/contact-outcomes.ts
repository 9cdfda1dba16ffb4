import type { JournalEntry } from '../../storage/model.ts'
import type { ContactOutcome, SpanOutcome } from './scenario.ts'

/** An entry and the message at which it was journaled. */
export interface TimedEntry {
  readonly at: string
  readonly entry: JournalEntry
}

type Open<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] }

interface OpenContact extends Open<Omit<ContactOutcome, 'segments' | 'recordings'>> {
  readonly segments: Open<SpanOutcome>[]
  readonly recordings: Open<Omit<SpanOutcome, 'agent'>>[]
}

/** What the journal comes to, in the order in which the contacts began. */
export function contactOutcomes(journal: readonly TimedEntry[]): readonly ContactOutcome[] {
  const contacts = new Map<string, OpenContact>()
  const spans = new Map<string, { to: string | null }>()
  for (const { at, entry } of journal) {
    if (entry.kind === 'contact.started') {
      contacts.set(entry.contactId, {
        ...factsOf(entry),
        caller: entry.caller.display,
        callerWithheld: entry.caller.isWithheld,
        serviceNumber: entry.serviceNumber.display,
        serviceLine: entry.serviceLine,
        agent: entry.agent,
        platformReference: entry.platformReference,
        direction: entry.direction,
        foundIn: entry.foundIn,
        endReason: null,
        segments: [],
        recordings: [],
      })
      continue
    }
    if (entry.kind === 'segment.ended') {
      const span = spans.get(entry.segmentId)
      if (span !== undefined) span.to = at
      continue
    }
    if (entry.kind === 'recording.stored') continue
    const contact = contacts.get(entry.contactId)
    if (contact === undefined) continue
    switch (entry.kind) {
      case 'contact.changed':
        Object.assign(contact, factsOf(entry))
        break
      case 'contact.ended':
        contact.endReason = entry.endReason
        break
      case 'segment.started': {
        const segment = { agent: entry.agent, from: at, to: null }
        spans.set(entry.segmentId, segment)
        contact.segments.push(segment)
        break
      }
      case 'recording.started': {
        const recording = { from: at, to: null }
        spans.set(entry.recordingId, recording)
        contact.recordings.push(recording)
        break
      }
      case 'recording.ended': {
        const span = spans.get(entry.recordingId)
        if (span !== undefined) span.to = at
        break
      }
      case 'contact.answered':
    }
  }
  return [...contacts.values()]
}

/** The facts that an entry brings, under the names of an outcome. */
function factsOf(
  entry: Extract<JournalEntry, { readonly kind: 'contact.started' | 'contact.changed' }>,
): Partial<ContactOutcome> {
  const { caller, serviceNumber, serviceLine, agent, platformReference, foundIn } = entry
  return {
    ...(caller && { caller: caller.display, callerWithheld: caller.isWithheld }),
    ...(serviceNumber && { serviceNumber: serviceNumber.display }),
    ...(serviceLine !== undefined && { serviceLine }),
    ...(agent !== undefined && { agent }),
    ...(platformReference !== undefined && { platformReference }),
    ...(foundIn && { foundIn }),
  }
}
