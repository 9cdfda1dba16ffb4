import { readSipAddress, splitAddresses } from '../sip-address.ts'
import { compareLabels } from './compare-labels.ts'
import {
  type Candidate,
  type Evidence,
  fieldAddresses,
  headerAddresses,
  vendorFields,
} from './identification-evidence.ts'
import type { MetadataParticipant } from './recording-metadata.ts'

/** Where a value may stand in a message or its metadata. */
export type Locator =
  /** All addresses of a header, in its order or the other way round. */
  | { readonly in: 'header'; readonly name: string; readonly isReversed?: true }
  /** A header as well, of which only a number counts, or an explicit lack of one: clients put their own name into it. */
  | { readonly in: 'caller-header'; readonly name: string }
  /** The values of a header as they stand. */
  | { readonly in: 'header-text'; readonly name: string }
  /** Parameters of a header's first address, joined by slashes; nothing where one is absent. */
  | {
      readonly in: 'header-parameters'
      readonly name: string
      readonly parameters: readonly string[]
    }
  /** The addresses of a header that have a parameter of this value. */
  | {
      readonly in: 'header-with'
      readonly name: string
      readonly parameter: string
      readonly value: string
    }
  /** Elements that the standard does not define, by the end of their path, perhaps of a namespace alone. */
  | {
      readonly in: 'field'
      readonly path: string
      readonly namespace?: string
      readonly isReversed?: true
    }
  /** A field that its client confuses with another, save where a configured service number shows that it did not. */
  | {
      readonly in: 'swapped-field'
      readonly path: string
      readonly with: string
      readonly namespace: string
      readonly holds: 'caller' | 'service-number'
    }
  /** The participant with such an element. */
  | { readonly in: 'participant-with'; readonly path: string; readonly value: string }
  /** The participant that sends the stream of the lowest label. */
  | { readonly in: 'lowest-label' }
  /** All participants that are no service number, in their order. */
  | { readonly in: 'participants' }
  /** Participants that are a configured service number. */
  | { readonly in: 'service-participants' }
  | { readonly in: 'request-uri' }
  /** Ids of the metadata's objects; `sip-session` is what a session is called by its own SIP (RFC 7865 §6.3). */
  | { readonly in: 'metadata-id'; readonly of: 'sip-session' | 'session' | 'group' | 'participant' }

/** What stands there, likeliest first. Never throws. */
export function locate(locator: Locator, evidence: Evidence): readonly Candidate[] {
  switch (locator.in) {
    case 'header': {
      const found = headerAddresses(locator.name, evidence)
      return locator.isReversed === true ? found.toReversed() : found
    }
    case 'caller-header':
      return callerHeader(locator.name, evidence)
    case 'header-text':
      return evidence.headers(locator.name).map((address) => ({ address }))
    case 'header-parameters':
      return headerParameters(locator.name, locator.parameters, evidence)
    case 'header-with':
      return splitAddresses(evidence.headers(locator.name))
        .filter(
          (value) => readSipAddress(value).parameters.get(locator.parameter) === locator.value,
        )
        .map((address) => ({ address }))
    case 'field': {
      const found = fields(locator.path, locator.namespace, evidence)
      return locator.isReversed === true ? found.toReversed() : found
    }
    case 'swapped-field':
      return swappedField(locator, evidence)
    case 'participant-with':
      return participantsWith(locator.path, locator.value, evidence)
    case 'lowest-label':
      return participantOfLowestLabel(evidence)
    case 'participants':
      return evidence.people
    case 'service-participants':
      return serviceParticipants(evidence)
    case 'request-uri':
      return [{ address: evidence.requestUri }]
    case 'metadata-id':
      return metadataIds(locator.of, evidence)
  }
}

function callerHeader(name: string, evidence: Evidence): readonly Candidate[] {
  const { addresses } = evidence
  return headerAddresses(name, evidence).filter(
    ({ address }) => addresses.read(address).number.isWithheld || addresses.isNumeric(address),
  )
}

function headerParameters(
  name: string,
  wanted: readonly string[],
  evidence: Evidence,
): readonly Candidate[] {
  const { parameters } = readSipAddress(evidence.headers(name)[0] ?? '')
  const values = wanted.map((parameter) => parameters.get(parameter) ?? '')
  return values.includes('') ? [] : [{ address: values.join('/') }]
}

function fields(
  path: string,
  namespace: string | undefined,
  evidence: Evidence,
): readonly Candidate[] {
  if (namespace === undefined) return fieldAddresses(path, evidence)
  return vendorFields(path, evidence)
    .filter((field) => field.namespace.toLowerCase().includes(namespace))
    .map((field) => ({ address: field.value }))
}

function swappedField(
  { path, with: other, namespace, holds }: Extract<Locator, { readonly in: 'swapped-field' }>,
  evidence: Evidence,
): readonly Candidate[] {
  const mine = fields(path, namespace, evidence)
  const others = fields(other, namespace, evidence)
  const isService = ({ address }: Candidate) => evidence.addresses.isServiceNumber(address)
  const [caller, called] = holds === 'caller' ? [mine, others] : [others, mine]
  const isRightAsItStands = caller.some(isService) && !called.some(isService)
  return isRightAsItStands ? others : mine
}

function participantsWith(path: string, value: string, evidence: Evidence): readonly Candidate[] {
  const owners = vendorFields(path, evidence)
    .filter((field) => field.value.toLowerCase() === value)
    .map((field) => field.ownerId)
  return evidence.people.filter(({ participant }) => owners.includes(participant.id))
}

function participantOfLowestLabel(evidence: Evidence): readonly Candidate[] {
  const streams = (evidence.metadata?.streams ?? [])
    .filter((stream) => stream.label !== null)
    .toSorted((a, b) => compareLabels(a.label, b.label))
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

function metadataIds(
  of: Extract<Locator, { readonly in: 'metadata-id' }>['of'],
  { metadata, participants }: Evidence,
): readonly Candidate[] {
  if (metadata === null) return []
  switch (of) {
    case 'sip-session':
      return metadata.sessions.flatMap((session) =>
        session.sipSessionIds.map((address) => ({ address })),
      )
    case 'session':
      return metadata.sessions.map(({ id }) => ({ address: id }))
    case 'group':
      return metadata.sessions.flatMap(({ groupId }) =>
        groupId === null ? [] : [{ address: groupId }],
      )
    case 'participant':
      return participants.map(({ id }) => ({ address: id }))
  }
}
