import type { ContactFoundIn, Direction, FoundIn, NumberFact } from '../../storage/model.ts'
import { NO_NUMBER, withholdNumber } from '../read-number.ts'
import { readSipAddress } from '../sip-address.ts'
import type { Identification } from './identification.ts'
import {
  addressOf,
  type Candidate,
  type Evidence,
  gatherEvidence,
  type Statements,
  vendorFields,
} from './identification-evidence.ts'
import {
  DIRECTION_FIELDS,
  findBy,
  SOLE_ROLE_PARAMETERS,
  type Source,
} from './identification-sources.ts'
import { callReference, findReferences, type PlatformReference } from './platform-references.ts'
import type { MetadataParticipant } from './recording-metadata.ts'

/** Who takes part in a recorded call, and where each was read. */
export interface Parties {
  readonly caller: NumberFact
  readonly serviceNumber: NumberFact
  /** The user part of the agent's address as received, for instance `2000`. */
  readonly agent: string | null
  /** All who handle the call now, the agent first. */
  readonly agents: readonly string[]
  /** What the platform calls the call and its parts, the surest name of the call first. */
  readonly references: readonly PlatformReference[]
  readonly foundIn: ContactFoundIn
  readonly direction: Direction
  /** The caller and the agent as participants of the metadata, for telling the streams apart. */
  readonly callerParticipantId: string | null
  readonly agentParticipantId: string | null
  /** Whose single stream this session brings, where the client sends each party in a session of its own. */
  readonly soleRole: 'caller' | 'agent' | null
  /** Whether the client is configured as one whose streams are crossed. */
  readonly hasCrossedStreams: boolean
}

export interface PartiesInput extends Statements {
  readonly settings: Identification
}

/** No call is handled by more at once; it bounds the rows that a hostile document makes. */
const MOST_AGENTS = 16

interface Found extends Candidate {
  readonly source: Source
}

/**
 * Finds caller, service number, agent and references, each in the configured order of sources. Never throws.
 */
export function identifyParties(input: PartiesInput): Parties {
  const { settings, ...statements } = input
  const evidence = gatherEvidence(statements, settings.region)
  const caller = findCaller(evidence, settings.caller)
  const service = findServiceNumber(evidence, settings.serviceNumber, caller)
  const callerParticipant = caller && participantOf(caller, evidence)
  const others = { caller, callerParticipant, service }
  const agent = findAgent(evidence, settings.agent, others)
  const references = findReferences(settings.platformReference, evidence)
  return {
    caller: callerNumber(caller, evidence),
    serviceNumber: service === null ? NO_NUMBER : serviceFact(service, evidence),
    agent: agent === null ? null : userOf(agent, evidence),
    agents: agent === null ? [] : agentsOf(agent, others, evidence),
    references,
    foundIn: {
      caller: foundIn(caller),
      serviceNumber: service && {
        source: service.source.name,
        isGuess: service.source.isGuess && !evidence.addresses.isServiceNumber(service.address),
      },
      agent: agent && agentFoundIn(agent, caller),
      platformReference: referenceFoundIn(callReference(references)),
    },
    direction: directionOf(service, evidence),
    callerParticipantId: callerParticipant?.id ?? null,
    agentParticipantId: (agent && participantOf(agent, evidence)?.id) ?? null,
    soleRole: soleRoleOf(evidence),
    hasCrossedStreams: hasCrossedStreams(evidence, settings.crossedStreams),
  }
}

/**
 * The first source that names a configured service number, else the first that gives any number. Nobody calls
 * himself: some clients put the caller's own number where another's belongs.
 */
function findServiceNumber(
  evidence: Evidence,
  sources: readonly Source[],
  caller: Found | null,
): Found | null {
  const { addresses } = evidence
  const isCaller = (address: string) =>
    caller !== null && addresses.isSameParty(address, caller.address)
  const candidates = sources.flatMap((source) =>
    findBy(source, evidence).map((candidate) => ({ ...candidate, source })),
  )
  return (
    candidates.find(({ address }) => addresses.isServiceNumber(address)) ??
    candidates.find(({ address }) => addresses.isNumeric(address) && !isCaller(address)) ??
    null
  )
}

function serviceFact(service: Found, evidence: Evidence): NumberFact {
  const { number, serviceNumber: configured } = evidence.addresses.read(service.address)
  return configured === null ? number : { ...number, e164: configured, display: configured }
}

/** The first source that gives an address; a service number calls nobody. */
function findCaller(evidence: Evidence, sources: readonly Source[]): Found | null {
  for (const source of sources) {
    const candidate = findBy(source, evidence)
      // A participant without an address is still somebody: the number is unknown, not the next one's.
      .find(
        ({ address, participant }) =>
          (address !== '' || participant !== undefined) &&
          !evidence.addresses.isServiceNumber(address),
      )
    if (candidate !== undefined) return { ...candidate, source }
  }
  return null
}

function callerNumber(caller: Found | null, evidence: Evidence): NumberFact {
  if (caller === null) return NO_NUMBER
  const { number } = evidence.addresses.read(caller.address)
  return asksPrivacy(evidence) ? withholdNumber(number) : number
}

/** RFC 3323 §4.2 and RFC 3325 §9.3, as a header of the INVITE or of the call that a client copies it from. */
function asksPrivacy(evidence: Evidence): boolean {
  const copied = vendorFields('header[Privacy]/value', evidence).map((field) => field.value)
  return [...evidence.headers('Privacy'), ...copied].some((value) =>
    /(^|[;,\s])(id|user|header|full)([;,\s]|$)/i.test(value.slice(0, 255)),
  )
}

interface Others {
  readonly caller: Found | null
  readonly callerParticipant: MetadataParticipant | null
  readonly service: Found | null
}

/** The first source that names somebody who is neither the caller nor the service number. */
function findAgent(evidence: Evidence, sources: readonly Source[], others: Others): Found | null {
  for (const source of sources) {
    const candidates = findBy(source, evidence).filter((candidate) =>
      isAgent(candidate, others, evidence),
    )
    // Somebody who was called directly is both the dialled number and the agent.
    const candidate =
      candidates.find(({ address }) => !isService(address, others, evidence)) ?? candidates[0]
    if (candidate !== undefined) return { ...candidate, source }
  }
  return null
}

/** Where the source tells of people who take part, all of them whom nobody else is: in a conference there are several. */
function agentsOf(agent: Found, others: Others, evidence: Evidence): readonly string[] {
  const people = agent.participant === undefined ? [] : findBy(agent.source, evidence)
  const handling = people.filter(
    (candidate) =>
      isAgent(candidate, others, evidence) && !isService(candidate.address, others, evidence),
  )
  const users = [agent, ...handling].map((candidate) => userOf(candidate, evidence))
  return [...new Set(users)].slice(0, MOST_AGENTS)
}

function userOf({ address }: Candidate, evidence: Evidence): string {
  return evidence.addresses.read(address).user.slice(0, 255)
}

function isAgent(candidate: Candidate, others: Others, evidence: Evidence): boolean {
  const { address, participant } = candidate
  if (evidence.addresses.read(address).user === '' || evidence.addresses.isServiceNumber(address))
    return false
  if (participant !== undefined && others.callerParticipant !== null) {
    return participant.id !== others.callerParticipant.id
  }
  // A source that names the recorded user does so whichever way the call went.
  if (participant === undefined) return true
  return others.caller === null || !evidence.addresses.isSameParty(address, others.caller.address)
}

function isService(address: string, others: Others, evidence: Evidence): boolean {
  return others.service !== null && evidence.addresses.isSameParty(address, others.service.address)
}

/** The participant that a candidate is, by what the source tells or by its address. */
function participantOf(found: Found, evidence: Evidence): MetadataParticipant | null {
  if (found.participant !== undefined) return found.participant
  const same = evidence.participants.find((participant) =>
    evidence.addresses.isSameParty(addressOf(participant, evidence.addresses), found.address),
  )
  return same ?? null
}

function foundIn(found: Found | null): FoundIn | null {
  return found && { source: found.source.name, isGuess: found.source.isGuess }
}

function referenceFoundIn(reference: PlatformReference | null): FoundIn | null {
  return reference && { source: reference.source, isGuess: reference.isGuess }
}

/** Who is left is the agent only as surely as the caller is the caller. */
function agentFoundIn(agent: Found, caller: Found | null): FoundIn {
  const isByExclusion = agent.participant !== undefined && (caller?.source.isGuess ?? true)
  return { source: agent.source.name, isGuess: agent.source.isGuess || isByExclusion }
}

/** A call to a service line comes in; else only a vendor that says so tells. */
function directionOf(service: Found | null, evidence: Evidence): Direction {
  if (service !== null && evidence.addresses.isServiceNumber(service.address)) return 'inbound'
  const found = DIRECTION_FIELDS.find(({ path, value }) =>
    vendorFields(path, evidence).some((field) => value === undefined || field.value === value),
  )
  return found?.direction ?? 'unknown'
}

/** A built-in bridge sends the far and the near end in two sessions of one stream each. */
function soleRoleOf(evidence: Evidence): Parties['soleRole'] {
  const { parameters } = readSipAddress(evidence.headers('From')[0] ?? '')
  const found = [...SOLE_ROLE_PARAMETERS].find(([parameter]) => parameters.has(parameter))
  return found?.[1] ?? null
}

function hasCrossedStreams(evidence: Evidence, crossed: readonly string[]): boolean {
  if (crossed.length === 0) return false
  const hosts = evidence.headers('Contact').map((value) => readSipAddress(value).host.toLowerCase())
  const agents = evidence.headers('User-Agent').map((value) => value.toLowerCase())
  return crossed.some((client) => {
    const wanted = client.toLowerCase()
    return hosts.includes(wanted) || agents.some((agent) => agent.includes(wanted))
  })
}
