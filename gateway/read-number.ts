import { compactNumber, internationalNumber, nationalNumber } from '../base/e164.ts'
import type { NumberFact } from '../storage/model.ts'
import { readSipAddress, type SipAddress } from './sip-address.ts'

/** Nothing was received. */
export const NO_NUMBER: NumberFact = { raw: null, e164: null, display: null, isWithheld: false }

/** Longest text that is kept as received. */
const RAW_LENGTH = 255

const WITHHELD_USERS = new Set(['anonymous', 'restricted', 'private', 'withheld', 'blocked'])
const ABSENT_USERS = new Set(['unknown', 'unavailable'])

/**
 * Reads who a URI, a header value or a bare number names. `region` (ISO 3166-1) reads numbers that have no country
 * code.
 *
 * `raw` is the user part as received, so that a search finds it, or the whole text where there is none. What is not
 * surely a number stays as it is: an extension such as `2000` has no E.164 form.
 */
export function readNumber(uriOrText: string, region: string): NumberFact {
  const text = uriOrText.trim()
  if (text === '') return NO_NUMBER
  const address = readSipAddress(text)
  const user = address.user.toLowerCase()
  const raw = (address.user === '' ? text : address.user).slice(0, RAW_LENGTH)
  if (isWithheld(address, text)) return { raw, e164: null, display: null, isWithheld: true }
  if (user === '' || ABSENT_USERS.has(user))
    return { raw, e164: null, display: null, isWithheld: false }
  const e164 = toE164(address, region)
  const number: NumberFact = { raw, e164, display: e164 ?? raw, isWithheld: false }
  return address.displayName.toLowerCase() === 'anonymous' ? withholdNumber(number) : number
}

/** The same number, its owner having asked for privacy (RFC 3323, RFC 3325 §9.3): it is kept and not shown. */
export function withholdNumber(number: NumberFact): NumberFact {
  return { ...number, display: null, isWithheld: true }
}

/** RFC 3323 §4.1.1.3 gives `anonymous@anonymous.invalid`; some gateways leave the user part empty instead. */
function isWithheld(address: SipAddress, text: string): boolean {
  if (WITHHELD_USERS.has(address.user.toLowerCase())) return true
  if (address.host.toLowerCase() === 'anonymous.invalid') return true
  return address.user === '' && /^[^@]*(sips?:|<)@/i.test(text)
}

function toE164(address: SipAddress, region: string): string | null {
  const compact = compactNumber(address.user)
  if (compact === null) return null
  const context = address.parameters.get('phone-context') ?? ''
  if (compact.startsWith('+')) return internationalNumber(compact.slice(1))
  if (/^\+\d{1,15}$/.test(context)) return internationalNumber(context.slice(1) + compact)
  if (address.parameters.get('noa') === 'international') return internationalNumber(compact)
  return nationalNumber(compact, region)
}
