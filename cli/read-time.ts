import { Temporal } from 'temporal-polyfill'
import { TallenneError } from '../base/tallenne-error.ts'

/**
 * An instant. A date alone, which is its beginning, and a time without a zone are read in `timeZone`, in which times are
 * shown, wherever the command is typed. Throws `option_value`.
 */
export function readTime(
  text: string,
  option: string,
  { timeZone }: { readonly timeZone: string },
): string {
  const epochMs = epochMsOf(text, timeZone)
  if (!Number.isNaN(epochMs)) return new Date(epochMs).toISOString()
  throw new TallenneError(
    'option_value',
    `${option} is ${text}, but a date or an instant is needed, as 2026-01-31 or 2026-01-31T08:00:00Z.`,
  )
}

function epochMsOf(text: string, timeZone: string): number {
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}[:.\d]*)?$/.test(text)) {
    return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  }
  try {
    return Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).epochMilliseconds
  } catch {
    return Number.NaN
  }
}
