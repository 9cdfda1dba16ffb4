import { readNumber } from '../read-number.ts'
import { readSipAddress, splitAddresses } from '../sip-address.ts'
import {
  isPresent,
  type MetadataParticipant,
  type RecordingMetadata,
  type VendorField,
} from './recording-metadata.ts'
import type { ReadHeaders } from './recording-session-request.ts'

/** What a message and the metadata say, as `identifyParties` is given it. */
export interface Statements {
  readonly headers: ReadHeaders
  readonly requestUri: string
  /** All that is known of the call, updates merged. */
  readonly metadata: RecordingMetadata | null
  /** Configured service numbers, E.164. */
  readonly serviceNumbers: readonly string[]
}

/** Everything that a party may be read from. */
export interface Evidence extends Statements {
  /** ISO 3166-1. */
  readonly region: string
  /** Those who take part now; when all have left, those who did. */
  readonly participants: readonly MetadataParticipant[]
  /** The participants with their addresses, those that are a configured service number left out. */
  readonly people: readonly Required<Candidate>[]
}

/** An address that a source gives for a party. */
export interface Candidate {
  /** A URI, a header value or a bare number. */
  readonly address: string
  /** The participant that it is, where the source tells. */
  readonly participant?: MetadataParticipant
}

/** Participants that some clients put in until they know the party. */
const PLACEHOLDER = /^(sips?:)?asbce@asbce\.com$/i

/** No call has more parties than these; it bounds the work for a hostile document. */
const PARTICIPANTS = 64

/** Works out once what the sources look at again and again. */
export function gatherEvidence(statements: Statements, region: string): Evidence {
  const participants = participantsOf(statements.metadata)
  const people = participants
    .filter((participant) => participant.names.length > 0)
    .map((participant) => ({ participant, address: addressOf(participant, region) }))
    .filter(({ address }) => serviceNumberOf(address, { ...statements, region }) === null)
  return { ...statements, region, participants, people }
}

function participantsOf(metadata: RecordingMetadata | null): readonly MetadataParticipant[] {
  if (metadata === null) return []
  const real = metadata.participants.filter(
    (participant) => !participant.names.some((name) => PLACEHOLDER.test(name.aor.trim())),
  )
  const present = real.filter((participant) => isPresent(participant, metadata))
  return (present.length > 0 ? present : real).slice(0, PARTICIPANTS)
}

/** Of several addresses the first that is a number, since one may be a name of the platform's own. */
export function addressOf(participant: MetadataParticipant, region: string): string {
  const addresses = participant.names.map((name) => name.aor.trim()).filter((aor) => aor !== '')
  const number = addresses.find((address) => readNumber(address, region).e164 !== null)
  return number ?? addresses[0] ?? ''
}

/** The configured service number that an address names, whatever way it is dialled; null where it is none. */
export function serviceNumberOf(
  address: string,
  evidence: Pick<Evidence, 'serviceNumbers' | 'region'>,
): string | null {
  const { e164 } = readNumber(address, evidence.region)
  const digits = readSipAddress(address).user.replace(/[\s().\-/]/g, '')
  const found = evidence.serviceNumbers.find(
    (number) => number === e164 || number === `+${digits}` || isNationalForm(digits, number),
  )
  return found ?? null
}

/** Whether the digits are the number without its country code, with or without a trunk prefix `0`. */
function isNationalForm(digits: string, number: string): boolean {
  if (!/^\d{6,15}$/.test(digits)) return false
  const significant = digits.startsWith('0') ? digits.slice(1) : digits
  return number.endsWith(significant) && /^\+\d{1,3}$/.test(number.slice(0, -significant.length))
}

/** Whether two addresses name the same party. */
export function isSameParty(a: string, b: string, region: string): boolean {
  const first = readNumber(a, region)
  const second = readNumber(b, region)
  if (first.e164 !== null && second.e164 !== null) return first.e164 === second.e164
  const userA = readSipAddress(a).user.toLowerCase()
  const userB = readSipAddress(b).user.toLowerCase()
  return (
    userA !== '' &&
    (userA === userB || isNationalForm(userA, userB) || isNationalForm(userB, userA))
  )
}

/** The addresses in all values of a header. */
export function headerAddresses(name: string, evidence: Evidence): readonly Candidate[] {
  return splitAddresses(evidence.headers(name)).map((address) => ({ address }))
}

/** The vendor fields whose path ends with `path`. */
export function vendorFields(path: string, evidence: Evidence): readonly VendorField[] {
  const wanted = `/${path.toLowerCase()}`
  return (evidence.metadata?.vendorFields ?? []).filter((field) =>
    `/${field.path.toLowerCase()}`.endsWith(wanted),
  )
}

/** What the vendor fields of a path give as addresses. */
export function fieldAddresses(path: string, evidence: Evidence): readonly Candidate[] {
  return vendorFields(path, evidence).map((field) => ({ address: field.value }))
}
