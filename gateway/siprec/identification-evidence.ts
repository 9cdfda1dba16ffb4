import { splitAddresses } from '../sip-address.ts'
import { AddressReader } from './address-reader.ts'
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
  readonly addresses: AddressReader
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
const PLACEHOLDERS: readonly RegExp[] = [/^(sips?:)?asbce@asbce\.com$/i]

/** No call has more parties than these; it bounds the work for a hostile document. */
const PARTICIPANTS = 64

/** Works out once what the sources look at again and again. `region` is ISO 3166-1. */
export function gatherEvidence(statements: Statements, region: string): Evidence {
  const addresses = new AddressReader(region, statements.serviceNumbers)
  const participants = participantsOf(statements.metadata)
  const people = participants
    .filter((participant) => participant.names.length > 0)
    .map((participant) => ({ participant, address: addressOf(participant, addresses) }))
    .filter(({ address }) => !addresses.isServiceNumber(address))
  return { ...statements, addresses, participants, people }
}

function participantsOf(metadata: RecordingMetadata | null): readonly MetadataParticipant[] {
  if (metadata === null) return []
  const real = metadata.participants.filter(
    ({ names }) =>
      !names.some(({ aor }) => PLACEHOLDERS.some((placeholder) => placeholder.test(aor.trim()))),
  )
  const present = real.filter((participant) => isPresent(participant, metadata))
  return (present.length > 0 ? present : lastToLeave(real)).slice(0, PARTICIPANTS)
}

/** When all have left, those whom nobody survived; all, where the times do not tell. */
function lastToLeave(all: readonly MetadataParticipant[]): readonly MetadataParticipant[] {
  const leftAtMs = ({ sessions }: MetadataParticipant) =>
    Math.max(...sessions.map(({ disassociateTime }) => Date.parse(disassociateTime ?? '')))
  const stayed = all.filter((participant) => Number.isNaN(leftAtMs(participant)))
  if (stayed.length > 0) return stayed
  const lastMs = Math.max(...all.map(leftAtMs))
  return all.filter((participant) => leftAtMs(participant) === lastMs)
}

/** Of several addresses the first that is a number, since one may be a name of the platform's own. */
export function addressOf(participant: MetadataParticipant, addresses: AddressReader): string {
  const written = participant.names.map((name) => name.aor.trim()).filter((aor) => aor !== '')
  return written.find((aor) => addresses.read(aor).number.e164 !== null) ?? written[0] ?? ''
}

/** The addresses in all values of a header. */
export function headerAddresses(name: string, evidence: Evidence): readonly Candidate[] {
  return splitAddresses(evidence.headers(name)).map((address) => ({ address }))
}

/** The vendor fields whose path ends with `path`, whole names compared without regard to case. */
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
