import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js'

/** E.164 numbers have at most 15 digits; a plan that we do not know may still be one. Digits without the plus sign. */
export function internationalNumber(digits: string): string | null {
  return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : null
}

/**
 * A number in the region's own dialling form, or in full after the international prefix. `region` is ISO 3166-1.
 *
 * A plan takes many digit strings that nobody dials, for instance `2025550147` for a Finnish number that is written
 * `020 25550147`; so only what reads back as it was dialled counts.
 */
export function nationalNumber(digits: string, region: string): string | null {
  // Shorter ones are extensions and short codes, in any plan.
  if (digits.length < 6 || !isSupportedCountry(region)) return null
  const number = parsePhoneNumberFromString(digits, region)
  if (number === undefined || !number.isValid()) return null
  const withCountryCode = `${number.countryCallingCode}${number.nationalNumber}`
  const isDialledSo =
    number.formatNational().replace(/\D/g, '') === digits ||
    // Within the North American plan the country code is also the trunk prefix.
    (number.countryCallingCode === '1' && withCountryCode === digits) ||
    (digits.startsWith('0') && digits.endsWith(withCountryCode))
  return isDialledSo ? internationalNumber(number.number.slice(1)) : null
}

/** Digits that are a whole number of some plan where its country code is read from their beginning, plus sign or not. */
export function numberWithCountryCode(digits: string): string | null {
  if (!/^[1-9]/.test(digits)) return null
  return parsePhoneNumberFromString(`+${digits}`)?.isValid() ? internationalNumber(digits) : null
}

/** A number without the signs that people write between its digits; null where other signs stand in it. */
export function compactNumber(text: string): string | null {
  const compact = text.replace(/[\s().\-/]/g, '')
  return /^\+?\d{2,24}$/.test(compact) ? compact : null
}

/** E.164 of a number as people write or dial it; null where it is surely none. */
export function e164Of(text: string, region: string): string | null {
  const compact = compactNumber(text)
  if (compact === null) return null
  return compact.startsWith('+')
    ? internationalNumber(compact.slice(1))
    : nationalNumber(compact, region)
}
