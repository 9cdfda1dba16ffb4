import { newId } from '../../base/uuid.ts'
import type { JournalEntry, NumberFact } from '../../storage/model.ts'

type Entry<Kind extends JournalEntry['kind']> = Extract<JournalEntry, { kind: Kind }>

export const STARTED_AT_MS = Date.UTC(2026, 0, 15, 8, 30, 0, 123)

export function number(e164: string): NumberFact {
  return { raw: e164, e164, display: e164, isWithheld: false }
}

export const WITHHELD: NumberFact = { raw: null, e164: null, display: null, isWithheld: true }

export function contactStarted(
  fields: Partial<Entry<'contact.started'>> = {},
): Entry<'contact.started'> {
  return {
    kind: 'contact.started',
    contactId: newId(),
    nodeId: 'node-1',
    callId: `${newId()}@198.51.100.7`,
    capture: 'siprec',
    direction: 'inbound',
    startedAtMs: STARTED_AT_MS,
    caller: number('+12025550147'),
    serviceNumber: number('+12025550100'),
    serviceLine: 'asiakastuki',
    agent: 'agent-7',
    foundIn: {
      caller: { source: 'metadata', isGuess: false },
      serviceNumber: { source: 'to', isGuess: true },
      agent: null,
      platformReference: { source: 'oracle-ucid', isGuess: false },
    },
    platformReference: '0001183F5093914D',
    metadata: '<recording/>',
    ...fields,
  }
}

export function recordingEnded(
  contactId: string,
  recordingId: string,
  fields: Partial<Entry<'recording.ended'>> = {},
): Entry<'recording.ended'> {
  return {
    kind: 'recording.ended',
    recordingId,
    contactId,
    state: 'complete',
    reasons: [],
    durationMs: 60_000,
    callDurationMs: 60_000,
    lostMs: 0,
    lossMap: [],
    bytes: 240_000,
    sha256: 'ab'.repeat(32),
    file: null,
    media: { streams: [] },
    ...fields,
  }
}

/** What a short recorded call leaves in the journal, in order. */
export function wholeCall(
  fields: Partial<Entry<'contact.started'>> = {},
  recording: Partial<Entry<'recording.ended'>> = {},
): { contactId: string; segmentId: string; recordingId: string; entries: JournalEntry[] } {
  const started = contactStarted(fields)
  const { contactId, startedAtMs } = started
  const segmentId = newId()
  const recordingId = recording.recordingId ?? newId()
  const answeredAtMs = startedAtMs + 2000
  const endedAtMs = answeredAtMs + 60_000
  return {
    contactId,
    segmentId,
    recordingId,
    entries: [
      started,
      { kind: 'contact.answered', contactId, answeredAtMs },
      {
        kind: 'segment.started',
        segmentId,
        contactId,
        agent: started.agent,
        startedAtMs: answeredAtMs,
      },
      { kind: 'recording.started', recordingId, contactId, startedAtMs: answeredAtMs },
      { kind: 'segment.ended', segmentId, endedAtMs },
      { kind: 'contact.ended', contactId, endedAtMs, endReason: 'bye' },
      recordingEnded(contactId, recordingId, recording),
    ],
  }
}
