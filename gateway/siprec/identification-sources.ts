import { readSipAddress, splitAddresses } from '../sip-address.ts'
import {
  type Candidate,
  type Evidence,
  fieldAddresses,
  headerAddresses,
  vendorFields,
} from './identification-evidence.ts'
import type { MetadataParticipant } from './recording-metadata.ts'

/** Somewhere a party's number may stand; docs/identification.md describes each by its name. */
export interface Source {
  readonly name: string
  /** Whether what it gives is only likely: order, position, or a header that clients use for themselves. */
  readonly isGuess: boolean
  /** What it gives, likeliest first. */
  readonly find: (evidence: Evidence) => readonly Candidate[]
}

function told(name: string, find: Source['find']): Source {
  return { name, isGuess: false, find }
}

function guessed(name: string, find: Source['find']): Source {
  return { name, isGuess: true, find }
}

/** Sources of the caller, in their default order. */
export const CALLER_SOURCES: readonly Source[] = [
  told('oracle-calling-party', oracleCallingParty),
  told('broadworks-call-type', (evidence) => [
    ...fieldAddresses('termCall/callingPartyNumber', evidence),
    ...fieldAddresses('origCall/callingPartyNumber', evidence),
  ]),
  told('ribbon-call-data', (evidence) => fieldAddresses('callData/fromhdr', evidence)),
  told('metaswitch-call-type', (evidence) =>
    fieldAddresses('metaswitchRecordingMetadata/callingPartyNumber', evidence),
  ),
  told('jambonz-numbers', (evidence) => jambonzNumbers(evidence).caller),
  guessed('cisco-recording-participant', (evidence) => ciscoParticipants(evidence, 0)),
  guessed('cisco-far-end', (evidence) => fromParameter('x-farendaddr', evidence)),
  guessed('participant-label', participantOfLowestLabel),
  guessed('participant-order', (evidence) => evidence.people),
  guessed('p-asserted-identity', (evidence) => callerHeader('P-Asserted-Identity', evidence)),
  guessed('remote-party-id', (evidence) => callerHeader('Remote-Party-ID', evidence)),
  guessed('from', (evidence) => callerHeader('From', evidence)),
]

/** Sources of the dialled service number, in their default order. */
export const SERVICE_NUMBER_SOURCES: readonly Source[] = [
  told('oracle-request-uri', (evidence) => fieldAddresses('request-uri', evidence)),
  told('oracle-diversion', (evidence) =>
    fieldAddresses('header[Diversion]/value', evidence).toReversed(),
  ),
  told('broadworks-call-type', (evidence) => [
    ...fieldAddresses('termCall/calledPartyNumber', evidence),
    ...fieldAddresses('origCall/calledPartyNumber', evidence),
    ...fieldAddresses('redirectInfo/origCalledNumber', evidence),
  ]),
  told('metaswitch-dialed-digits', (evidence) =>
    fieldAddresses('metaswitchRecordingMetadata/dialedDigits', evidence),
  ),
  told('jambonz-numbers', (evidence) => jambonzNumbers(evidence).called),
  told('ribbon-call-data', (evidence) => fieldAddresses('callData/tohdr', evidence)),
  told('p-called-party-id', (evidence) => headerAddresses('P-Called-Party-ID', evidence)),
  // The topmost Diversion is the latest (RFC 5806 §4.2), the first History-Info the oldest (RFC 7044 §5).
  told('diversion', (evidence) => headerAddresses('Diversion', evidence).toReversed()),
  told('history-info', (evidence) => headerAddresses('History-Info', evidence)),
  told('participant', serviceParticipants),
  guessed('to', (evidence) => headerAddresses('To', evidence)),
  guessed('request-uri', (evidence) => [{ address: evidence.requestUri }]),
]

/** Sources of the agent, in their default order. */
export const AGENT_SOURCES: readonly Source[] = [
  told('broadworks-user', (evidence) =>
    fieldAddresses('broadWorksRecordingMetadata/userID', evidence),
  ),
  told('metaswitch-recorded-party', (evidence) =>
    fieldAddresses('metaswitchRecordingMetadata/recordedParty', evidence),
  ),
  told('cisco-near-end', (evidence) => fromParameter('x-nearendaddr', evidence)),
  guessed('cisco-recording-participant', (evidence) => ciscoParticipants(evidence, 1)),
  told('participant', (evidence) => evidence.people),
]

/** `<apkt:callingParty>true</apkt:callingParty>` in a participant. */
function oracleCallingParty(evidence: Evidence): readonly Candidate[] {
  const owners = vendorFields('callingParty', evidence)
    .filter((field) => field.value.toLowerCase() === 'true')
    .map((field) => field.ownerId)
  return evidence.people.filter(({ participant }) => owners.includes(participant.id))
}

/**
 * jambonz writes the called number into `callingnumber` and the calling one into `callednumber`. Should it
 * ever stop doing so, the configured service number still tells which is which.
 */
function jambonzNumbers(evidence: Evidence): {
  readonly caller: readonly Candidate[]
  readonly called: readonly Candidate[]
} {
  const read = (path: string) =>
    vendorFields(path, evidence)
      .filter((field) => field.namespace.toLowerCase().includes('jambonz.org'))
      .map((field) => ({ address: field.value }))
  const caller = read('callednumber')
  const called = read('callingnumber')
  const isSwappedBack =
    caller.some(({ address }) => evidence.addresses.isServiceNumber(address)) &&
    !called.some(({ address }) => evidence.addresses.isServiceNumber(address))
  return isSwappedBack ? { caller: called, called: caller } : { caller, called }
}

/** `X-Cisco-Recording-Participant: sip:+12025550147@example.com;media-index="0"`, one for each m-line. */
function ciscoParticipants(evidence: Evidence, mediaIndex: number): readonly Candidate[] {
  return splitAddresses(evidence.headers('X-Cisco-Recording-Participant'))
    .filter((value) => readSipAddress(value).parameters.get('media-index') === String(mediaIndex))
    .map((address) => ({ address }))
}

/** Built-in bridges describe both ends in parameters of the From URI. */
function fromParameter(name: string, evidence: Evidence): readonly Candidate[] {
  const address = readSipAddress(evidence.headers('From')[0] ?? '').parameters.get(name)
  return address === undefined || address === '' ? [] : [{ address }]
}

/** The participant that sends the stream of the lowest label. */
function participantOfLowestLabel(evidence: Evidence): readonly Candidate[] {
  const streams = (evidence.metadata?.streams ?? [])
    .filter((stream) => stream.label !== null)
    .toSorted((a, b) => (a.label ?? '').localeCompare(b.label ?? '', 'en', { numeric: true }))
  for (const stream of streams) {
    const senders = evidence.people.filter(({ participant }) => sends(participant, stream.id))
    // A stream that several send has no side of its own.
    if (senders.length > 1) return []
    if (senders.length === 1) return senders
  }
  return []
}

function sends(participant: MetadataParticipant, streamId: string): boolean {
  return (participant.sends ?? []).includes(streamId) || participant.hasSent.includes(streamId)
}

function serviceParticipants(evidence: Evidence): readonly Candidate[] {
  return evidence.participants.flatMap((participant) =>
    participant.names
      .filter((name) => evidence.addresses.isServiceNumber(name.aor))
      .map((name) => ({ address: name.aor, participant })),
  )
}

/** Clients put their own name into these, so only a number counts, or an explicit lack of one. */
function callerHeader(name: string, evidence: Evidence): readonly Candidate[] {
  const { addresses } = evidence
  return headerAddresses(name, evidence).filter(
    ({ address }) => addresses.read(address).number.isWithheld || addresses.isNumeric(address),
  )
}

/**
 * A source by the name that a configuration gives it: one of the known ones, or `header:NAME` and `metadata:PATH`,
 * which name any header and any vendor field. Null where there is none of the name.
 */
export function sourceByName(name: string, known: readonly Source[]): Source | null {
  const found = known.find((source) => source.name === name)
  if (found !== undefined) return found
  const header = /^header:([!-9;-~]{1,64})$/.exec(name)?.[1]
  if (header !== undefined) return told(name, (evidence) => headerAddresses(header, evidence))
  const path = /^metadata:([^\s]{1,256})$/.exec(name)?.[1]
  if (path !== undefined) return told(name, (evidence) => fieldAddresses(path, evidence))
  return null
}
