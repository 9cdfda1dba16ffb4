import type { ContactFacts, ContactRecord } from '../calls/contact-record.ts'
import type { SipResponse } from '../sip/sip-surface.ts'
import { readSipAddress, splitAddresses } from '../sip-address.ts'

/**
 * The contact's facts with whoever answered: the user that the platform asserts in its answer (RFC 3325 §9.1), unless
 * it names a service number, which is nobody.
 */
export function agentOf(
  answer: SipResponse,
  options: {
    readonly contact: ContactRecord
    readonly isServiceNumber: (address: string) => boolean
  },
): ContactFacts {
  const { facts } = options.contact
  const asserted = splitAddresses([answer.get('P-Asserted-Identity') ?? '']).find(
    (address) => readSipAddress(address).user !== '' && !options.isServiceNumber(address),
  )
  if (asserted === undefined) return { ...facts, agent: null }
  const agent = readSipAddress(asserted).user.slice(0, 255)
  const source = { source: 'P-Asserted-Identity', isGuess: false }
  return { ...facts, agent, foundIn: { ...facts.foundIn, agent: source } }
}
