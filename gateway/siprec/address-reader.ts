import type { NumberFact } from '../../storage/model.ts'
import { readNumber } from '../read-number.ts'
import { readSipAddress } from '../sip-address.ts'

/** What an address says once it is read. */
export interface ReadAddress {
  readonly user: string
  readonly number: NumberFact
  /** The configured service number that it names, whatever way it is dialled; null where it is none. */
  readonly serviceNumber: string | null
}

/** Reads addresses for one identification, each once, since every source looks at the same few. */
export class AddressReader {
  readonly #region: string
  readonly #serviceNumbers: readonly string[]
  readonly #known = new Map<string, ReadAddress>()

  constructor(region: string, serviceNumbers: readonly string[]) {
    this.#region = region
    this.#serviceNumbers = serviceNumbers
  }

  read(address: string): ReadAddress {
    const known = this.#known.get(address)
    if (known !== undefined) return known
    const { user } = readSipAddress(address)
    const number = readNumber(address, this.#region)
    const digits = withoutSeparators(user)
    const serviceNumber = this.#serviceNumbers.find(
      (service) =>
        service === number.e164 || service === `+${digits}` || isNationalForm(digits, service),
    )
    const read = { user, number, serviceNumber: serviceNumber ?? null }
    this.#known.set(address, read)
    return read
  }

  isServiceNumber(address: string): boolean {
    return this.read(address).serviceNumber !== null
  }

  /** Whether the user part is digits that could be dialled. */
  isNumeric(address: string): boolean {
    return /^\+?\d{3,24}$/.test(withoutSeparators(this.read(address).user))
  }

  /** Whether two addresses name the same party, however each is written. */
  isSameParty(a: string, b: string): boolean {
    const first = this.read(a)
    const second = this.read(b)
    if (first.number.e164 !== null && second.number.e164 !== null) {
      return first.number.e164 === second.number.e164
    }
    const users = [first.user.toLowerCase(), second.user.toLowerCase()] as const
    if (users[0] === '' || users[1] === '') return false
    return (
      users[0] === users[1] ||
      isNationalForm(users[0], users[1]) ||
      isNationalForm(users[1], users[0])
    )
  }
}

/** Visual separators that people and some clients write into a number (RFC 3966 §5.1.1). */
function withoutSeparators(user: string): string {
  return user.replace(/[\s().\-/]/g, '')
}

/** Whether the digits are the number without its country code, with or without a trunk prefix `0`. */
function isNationalForm(digits: string, number: string): boolean {
  if (!/^\d{6,15}$/.test(digits)) return false
  const significant = digits.startsWith('0') ? digits.slice(1) : digits
  return number.endsWith(significant) && /^\+\d{1,3}$/.test(number.slice(0, -significant.length))
}
