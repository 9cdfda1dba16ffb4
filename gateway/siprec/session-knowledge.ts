import type { Config } from '../../config/config.ts'
import { serviceLineOf } from '../../config/service-lines.ts'
import type { ContactFacts } from '../calls/contact-record.ts'
import type { Answer } from './answer-plan.ts'
import type { Identification } from './identification.ts'
import { laterHeaders } from './later-headers.ts'
import { mergeMetadata } from './merge-metadata.ts'
import { identifyParties, type Parties } from './parties.ts'
import { isPausing } from './pausing-offer.ts'
import { callReference, type PlatformReference } from './platform-references.ts'
import { haveAllLeft, type RecordingMetadata } from './recording-metadata.ts'
import type { ReadHeaders, RecordingRequest } from './recording-session-request.ts'
import type { SdpOffer } from './sdp-offer.ts'
import { settleParties } from './settle-parties.ts'
import { assignRoles } from './stream-roles.ts'

export interface SessionKnowledgeOptions {
  /** Of the INVITE. */
  readonly headers: ReadHeaders
  readonly requestUri: string
  readonly identification: Identification
  readonly lines: Pick<Config, 'serviceLines' | 'catchAll'>
  /** What a re-offer means that is inactive and says no more; a pause of the recording where absent. */
  readonly inactiveMeans?: 'pause' | 'hold'
}

/** What the messages of one session have told of its parties; it grows with each. */
export class SessionKnowledge {
  readonly #options: SessionKnowledgeOptions
  #metadata: RecordingMetadata | null = null
  #metadataRaw: string | null = null
  #headers: ReadHeaders
  #parties: Parties
  /** Who handled the call last; between two agents there is none for a while. */
  #lastAgent: Pick<Parties, 'agent' | 'foundIn'> | undefined

  constructor(options: SessionKnowledgeOptions) {
    this.#options = options
    this.#headers = options.headers
    this.#parties = this.#identify()
  }

  /**
   * Takes what a message tells, in its body or in headers that tell of parties, and gives the contact's facts as they
   * are then. Never throws.
   */
  learn({ metadata, metadataRaw }: RecordingRequest, headers?: ReadHeaders): ContactFacts {
    this.#metadataRaw = metadataRaw ?? this.#metadataRaw
    const changed = headers === undefined ? undefined : laterHeaders(this.#headers, headers)
    if (changed !== undefined) this.#headers = changed
    const isFirst = this.#metadata === null && metadata !== null
    if (metadata !== null) this.#metadata = mergeMetadata(this.#metadata, metadata)
    const isOver = this.#metadata !== null && haveAllLeft(this.#metadata)
    // Whoever took part at the end did so to the end.
    if ((metadata !== null || changed !== undefined) && !isOver) {
      const told = this.#identify()
      this.#parties = isFirst
        ? told
        : settleParties(this.#parties, told, ({ e164 }) => this.#isLineNumber(e164))
    }
    if (this.#parties.agent !== null || isFirst) this.#lastAgent = this.#parties
    const { caller, serviceNumber, direction } = this.#parties
    const { agent, foundIn: agentFoundIn } = this.#lastAgent ?? this.#parties
    const foundIn = { ...this.#parties.foundIn, agent: agentFoundIn.agent }
    return {
      direction,
      caller,
      serviceNumber,
      serviceLine: serviceLineOf(serviceNumber.e164, this.#options.lines),
      agent,
      platformReference: callReference(this.references)?.value ?? null,
      foundIn,
      metadata: this.#metadataRaw,
    }
  }

  /** All who handle the call now. */
  get agents(): readonly string[] {
    return this.#parties.agents
  }

  /** Whose voice alone the session brings, where the client sends each party in a session of its own. */
  get soleRole(): Parties['soleRole'] {
    return this.#parties.soleRole
  }

  /** What the platform calls the call and its parts, as far as it has said. */
  get references(): readonly PlatformReference[] {
    return this.#parties.references
  }

  /** Whether a re-offer pauses the recording, by what is known with the message that brought it. */
  isPausing(offer: SdpOffer): boolean {
    const { inactiveMeans } = this.#options
    return inactiveMeans !== 'hold' && isPausing(offer, this.#metadata)
  }

  /** Says whose voice each stream carries, as well as is known. */
  assignRoles(plan: Answer): Answer {
    const { streams } = assignRoles(plan, { metadata: this.#metadata, parties: this.#parties })
    return { ...plan, streams }
  }

  #isLineNumber(e164: string | null): boolean {
    const { serviceLines } = this.#options.lines
    return e164 !== null && serviceLines.some(({ numbers }) => numbers.includes(e164))
  }

  #identify(): Parties {
    const { requestUri, identification, lines } = this.#options
    return identifyParties({
      headers: this.#headers,
      requestUri,
      metadata: this.#metadata,
      serviceNumbers: lines.serviceLines.flatMap((line) => line.numbers),
      settings: identification,
    })
  }
}
