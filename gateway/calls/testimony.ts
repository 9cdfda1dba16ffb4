import type { JournalEntry } from '../../storage/model.ts'

/** Who a contact is about, as far as signalling has told. */
export type ContactFacts = Omit<
  Extract<JournalEntry, { readonly kind: 'contact.started' }>,
  'kind' | 'contactId' | 'nodeId' | 'callId' | 'capture' | 'startedAtMs'
>

/** What one session says of a contact. */
export interface Testimony {
  readonly facts: ContactFacts
  /** All who handle it now; `facts.agent` is one of them, or who did last. */
  readonly agents: readonly string[]
  /** Whether the session goes on; what it said of the parties stays, and its agents have gone with it. */
  readonly isPresent: boolean
}

type Party = 'caller' | 'serviceNumber' | 'agent' | 'platformReference'

/**
 * What the sessions of one contact say together. Of each party counts who was told of it, before who guessed, and
 * among equals the earliest session. There is at least one.
 */
export function weigh(testimonies: readonly Testimony[]): Omit<Testimony, 'isPresent'> {
  const [first] = testimonies
  if (first === undefined) throw new RangeError('nobody has said anything of the contact')
  if (testimonies.length === 1) return first
  const caller = best('caller', testimonies).facts
  const service = best('serviceNumber', testimonies).facts
  const named = best('platformReference', testimonies).facts
  const handling = testimonies.filter(({ isPresent, agents }) => isPresent && agents.length > 0)
  const agent = best('agent', handling.length > 0 ? handling : testimonies)
  const surest = handling.filter(
    ({ facts }) => sureness('agent', facts) === sureness('agent', agent.facts),
  )
  const told = testimonies.find(({ facts }) => facts.direction !== 'unknown')
  return {
    facts: {
      ...first.facts,
      direction: (told ?? first).facts.direction,
      caller: caller.caller,
      serviceNumber: service.serviceNumber,
      serviceLine: service.serviceLine,
      agent: agent.facts.agent,
      platformReference: named.platformReference,
      foundIn: {
        ...first.facts.foundIn,
        caller: caller.foundIn.caller,
        serviceNumber: service.foundIn.serviceNumber,
        agent: agent.facts.foundIn.agent,
        platformReference: named.foundIn.platformReference,
      },
    },
    agents: [...new Set(surest.flatMap(({ agents }) => agents))],
  }
}

/**
 * Whether two sessions that name one call cannot both be right of it: each was told of another caller. A reference
 * that a platform uses twice must not put one caller's voice into another's contact.
 */
export function contradict(one: ContactFacts, other: ContactFacts): boolean {
  const isTold = ({ caller, foundIn }: ContactFacts) =>
    caller.e164 !== null && foundIn.caller !== null && !foundIn.caller.isGuess
  return isTold(one) && isTold(other) && one.caller.e164 !== other.caller.e164
}

function best(party: Party, testimonies: readonly Testimony[]): Testimony {
  return testimonies.reduce((surest, said) =>
    sureness(party, said.facts) > sureness(party, surest.facts) ? said : surest,
  )
}

/** How far a party is to be believed: 0 where nobody was named, 1 for a guess, 2 for what was told. */
export function sureness(party: Party, { foundIn, agent }: ContactFacts): 0 | 1 | 2 {
  const found = foundIn[party]
  if (found === null || (party === 'agent' && agent === null)) return 0
  return found.isGuess ? 1 : 2
}
