import type { Config } from '../../config/config.ts'
import type { ContactFacts } from '../calls/contact-record.ts'
import type { Answer } from './answer-plan.ts'
import type { Identification } from './identification.ts'
import { mergeMetadata } from './merge-metadata.ts'
import { identifyParties, type Parties } from './parties.ts'
import { isPausing } from './pausing-offer.ts'
import { callReference, type PlatformReference } from './platform-references.ts'
import type { RecordingMetadata } from './recording-metadata.ts'
import type { ReadHeaders, RecordingRequest } from './recording-session-request.ts'
import type { SdpOffer } from './sdp-offer.ts'
import { serviceLineOf } from './service-line.ts'
import { settleParties } from './settle-parties.ts'
import { assignRoles } from './stream-roles.ts'

export interface SessionKnowledgeOptions {
  /** Of the INVITE. */
  readonly headers: ReadHeaders
  readonly requestUri: string
  readonly identification: Identification
  readonly lines: Pick<Config, 'serviceLines' | 'catchAll'>
}

/** What the messages of one session have told of its parties; it grows with each. */
export class SessionKnowledge {
  readonly #options: SessionKnowledgeOptions
  #metadata: RecordingMetadata | null = null
  #metadataRaw: string | null = null
  #parties: Parties

  constructor(options: SessionKnowledgeOptions) {
    this.#options = options
    this.#parties = this.#identify()
  }

  /** Takes what a message tells and gives the contact's facts as they are then. Never throws. */
  learn({ metadata, metadataRaw }: RecordingRequest): ContactFacts {
    this.#metadataRaw = metadataRaw ?? this.#metadataRaw
    if (metadata !== null) {
      const isFirst = this.#metadata === null
      this.#metadata = mergeMetadata(this.#metadata, metadata)
      const told = this.#identify()
      this.#parties = isFirst
        ? told
        : settleParties(this.#parties, told, ({ e164 }) => this.#isLineNumber(e164))
    }
    const { caller, serviceNumber, agent, foundIn, direction } = this.#parties
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

  /** What the platform calls the call and its parts, as far as it has said. */
  get references(): readonly PlatformReference[] {
    return this.#parties.references
  }

  /** Whether a re-offer pauses the recording, by what is known with the message that brought it. */
  isPausing(offer: SdpOffer): boolean {
    return isPausing(offer, this.#metadata)
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
    const { headers, requestUri, identification, lines } = this.#options
    return identifyParties({
      headers,
      requestUri,
      metadata: this.#metadata,
      serviceNumbers: lines.serviceLines.flatMap((line) => line.numbers),
      settings: identification,
    })
  }
}
