/**
 * A telephone number or URI user part as logs and metrics may show it: the last two digits alone.
 *
 * `+12025550147` becomes `…47`; what is shorter than five characters is hidden whole.
 */
export function maskNumber(number: string | null | undefined): string {
  if (!number) return '(none)'
  return number.length < 5 ? '…' : `…${number.slice(-2)}`
}

/**
 * A name as logs may show it: an extension or an agent's name whole, but what may be a person's own telephone number
 * masked.
 */
export function maskIfLong(name: string): string {
  return /^\+?[\d ().-]*$/.test(name) && name.replace(/\D/g, '').length >= 7
    ? maskNumber(name)
    : name
}

/**
 * A sentence that may quote a value, as a database's about a row that it does not take: with numbers masked. Digits in
 * a path are none.
 */
export function maskNumbersIn(text: string): string {
  return text.replace(/(?<![/\d])\+?\d{7,}/g, (digits) => maskNumber(digits))
}
