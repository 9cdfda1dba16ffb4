import { TallenneError } from '../base/tallenne-error.ts'

/** An instant, or a date alone, which is its beginning here, where the command is typed. Throws `option_value`. */
export function readTime(text: string, option: string): string {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00`) : new Date(text)
  const isInstant = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}.*)?$/.test(text)
  if (isInstant && !Number.isNaN(time.getTime())) return time.toISOString()
  throw new TallenneError(
    'option_value',
    `${option} is ${text}, but a date or an instant is needed, as 2026-01-31 or 2026-01-31T08:00:00Z.`,
  )
}
