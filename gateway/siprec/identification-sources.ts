import type { Direction } from '../../storage/model.ts'
import type { Candidate, Evidence } from './identification-evidence.ts'
import { type Locator, locate } from './locators.ts'

/**
 * What the dialects say and where: a new one is a row or two in these tables. docs/identification.md describes each
 * source by its name.
 */
export interface Source {
  readonly name: string
  /** Whether what it gives is only likely: order, position, or a header that clients use for themselves. */
  readonly isGuess: boolean
  /** Where it looks, in this order. */
  readonly at: readonly Locator[]
}

/** What a source gives, likeliest first. Never throws. */
export function findBy(source: Source, evidence: Evidence): readonly Candidate[] {
  return source.at.flatMap((locator) => locate(locator, evidence))
}

function told(name: string, ...at: readonly Locator[]): Source {
  return { name, isGuess: false, at }
}

function guessed(name: string, ...at: readonly Locator[]): Source {
  return { name, isGuess: true, at }
}

const PARTICIPANT_HEADER = {
  in: 'header-with',
  name: 'X-Cisco-Recording-Participant',
  parameter: 'media-index',
} as const

/** Sources of the caller, in their default order. */
export const CALLER_SOURCES: readonly Source[] = [
  told('oracle-calling-party', { in: 'participant-with', path: 'callingParty', value: 'true' }),
  told(
    'broadworks-call-type',
    { in: 'field', path: 'termCall/callingPartyNumber' },
    { in: 'field', path: 'origCall/callingPartyNumber' },
  ),
  told('ribbon-call-data', { in: 'field', path: 'callData/fromhdr' }),
  told('metaswitch-call-type', {
    in: 'field',
    path: 'metaswitchRecordingMetadata/callingPartyNumber',
  }),
  // jambonz writes the called number into `callingnumber` and the calling one into `callednumber`.
  told('jambonz-numbers', {
    in: 'swapped-field',
    path: 'callednumber',
    with: 'callingnumber',
    namespace: 'jambonz.org',
    holds: 'caller',
  }),
  guessed('cisco-recording-participant', { ...PARTICIPANT_HEADER, value: '0' }),
  guessed('cisco-far-end', { in: 'header-parameters', name: 'From', parameters: ['x-farendaddr'] }),
  guessed('participant-label', { in: 'lowest-label' }),
  guessed('participant-order', { in: 'participants' }),
  guessed('p-asserted-identity', { in: 'caller-header', name: 'P-Asserted-Identity' }),
  guessed('remote-party-id', { in: 'caller-header', name: 'Remote-Party-ID' }),
  guessed('from', { in: 'caller-header', name: 'From' }),
]

/** Sources of the dialled service number, in their default order. */
export const SERVICE_NUMBER_SOURCES: readonly Source[] = [
  told('oracle-request-uri', { in: 'field', path: 'request-uri' }),
  told('oracle-diversion', { in: 'field', path: 'header[Diversion]/value', isReversed: true }),
  told('broadworks-acd', { in: 'field', path: 'acd/acdNumber' }),
  told(
    'broadworks-call-type',
    { in: 'field', path: 'termCall/calledPartyNumber' },
    { in: 'field', path: 'origCall/calledPartyNumber' },
    { in: 'field', path: 'redirectInfo/origCalledNumber' },
  ),
  told('metaswitch-dialed-digits', {
    in: 'field',
    path: 'metaswitchRecordingMetadata/dialedDigits',
  }),
  told('jambonz-numbers', {
    in: 'swapped-field',
    path: 'callingnumber',
    with: 'callednumber',
    namespace: 'jambonz.org',
    holds: 'service-number',
  }),
  told('ribbon-call-data', { in: 'field', path: 'callData/tohdr' }),
  told('p-called-party-id', { in: 'header', name: 'P-Called-Party-ID' }),
  // The topmost Diversion is the latest (RFC 5806 §4.2), the first History-Info the oldest (RFC 7044 §5).
  told('diversion', { in: 'header', name: 'Diversion', isReversed: true }),
  told('history-info', { in: 'header', name: 'History-Info' }),
  told('participant', { in: 'service-participants' }),
  guessed('to', { in: 'header', name: 'To' }),
  guessed('request-uri', { in: 'request-uri' }),
]

/** Sources of the agent, in their default order. */
export const AGENT_SOURCES: readonly Source[] = [
  told('broadworks-user', { in: 'field', path: 'broadWorksRecordingMetadata/userID' }),
  told('metaswitch-recorded-party', {
    in: 'field',
    path: 'metaswitchRecordingMetadata/recordedParty',
  }),
  told('cisco-near-end', { in: 'header-parameters', name: 'From', parameters: ['x-nearendaddr'] }),
  guessed('cisco-recording-participant', { ...PARTICIPANT_HEADER, value: '1' }),
  told('participant', { in: 'participants' }),
]

/** Fields that say which way a call went; a call to a service line comes in whatever they say. */
export const DIRECTION_FIELDS: readonly {
  readonly path: string
  /** Any value where absent. */
  readonly value?: string
  readonly direction: Direction
}[] = [
  { path: 'metaswitchRecordingMetadata/callType', value: 'terminating', direction: 'inbound' },
  { path: 'termCall/callingPartyNumber', direction: 'inbound' },
  { path: 'metaswitchRecordingMetadata/callType', value: 'originating', direction: 'outbound' },
  { path: 'origCall/callingPartyNumber', direction: 'outbound' },
]

/** Parameters of From by which a client that sends each party in a session of its own says whose it is. */
export const SOLE_ROLE_PARAMETERS: ReadonlyMap<string, 'caller' | 'agent'> = new Map([
  ['x-farend', 'caller'],
  ['x-nearend', 'agent'],
])

/**
 * A source by the name that a configuration gives it: one of the known ones, or `header:NAME` and `metadata:PATH`,
 * which name any header and any vendor field. Null where there is none of the name.
 */
export function sourceByName<Known extends Source>(
  name: string,
  known: readonly Known[],
): Known | Source | null {
  const found = known.find((source) => source.name === name)
  if (found !== undefined) return found
  const header = /^header:([!-9;-~]{1,64})$/.exec(name)?.[1]
  if (header !== undefined) return told(name, { in: 'header', name: header })
  const path = /^metadata:([^\s]{1,256})$/.exec(name)?.[1]
  if (path !== undefined) return told(name, { in: 'field', path })
  return null
}
