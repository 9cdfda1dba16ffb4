import type { ContactFacts, ContactRecord } from '../calls/contact-record.ts'
import type { SipResponse } from '../sip/sip-surface.ts'
import { readSipAddress, splitAddresses } from '../sip-address.ts'

/** Best first: some PBXs know only the older header. */
const SOURCES = ['P-Asserted-Identity', 'Remote-Party-ID'] as const

/**
 * The contact's facts with whoever answered: the user that the platform names in its answer (RFC 3325 §9.1, or the
 * header that came before it), unless it is a service number, which is nobody.
 */
export function agentOf(
  answer: SipResponse,
  options: {
    readonly contact: ContactRecord
    readonly isServiceNumber: (address: string) => boolean
  },
): ContactFacts {
  const { facts } = options.contact
  for (const source of SOURCES) {
    const named = splitAddresses([answer.get(source) ?? '']).find(
      (address) => readSipAddress(address).user !== '' && !options.isServiceNumber(address),
    )
    if (named === undefined) continue
    const agent = readSipAddress(named).user.slice(0, 255)
    return { ...facts, agent, foundIn: { ...facts.foundIn, agent: { source, isGuess: false } } }
  }
  return { ...facts, agent: null }
}
