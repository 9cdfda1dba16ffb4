import { Temporal } from 'temporal-polyfill'

/** A moment, and whether the clock of its place showed it twice; then it is the first of the two. */
export interface ListedInstant {
  readonly epochMs: number
  readonly isAmbiguous: boolean
}

export interface InstantReading {
  /** IANA name, for times without a zone of their own. */
  readonly timeZone: string
  /** As `dd.MM.yyyy HH:mm:ss`, `epoch` or `epochMs`; without it ISO 8601 and day.month.year are understood. */
  readonly format?: string | undefined
}

const PARTS: Readonly<Record<string, string>> = {
  yyyy: '(?<year>\\d{4})',
  MM: '(?<month>\\d{1,2})',
  dd: '(?<day>\\d{1,2})',
  HH: '(?<hour>\\d{1,2})',
  mm: '(?<minute>\\d{2})',
  ss: '(?<second>\\d{2})',
  SSS: '(?<millisecond>\\d{3})',
}
const MAX_LENGTH = 64
const TOKENS = /yyyy|MM|dd|HH|mm|ss|SSS/g
const NEEDED = ['yyyy', 'MM', 'dd', 'HH', 'mm']
/** Times without a zone of their own that cannot be mistaken. */
const USUAL = [
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})[T ](?<hour>\d{2})[:.](?<minute>\d{2})(?:[:.](?<second>\d{2})(?:[.,](?<millisecond>\d{3})\d*)?)?$/,
  /^(?<day>\d{1,2})\.(?<month>\d{1,2})\.(?<year>\d{4})[, ]+(?:klo )?(?<hour>\d{1,2})[:.](?<minute>\d{2})(?:[:.](?<second>\d{2}))?$/,
]

/** Whether a format has all that tells a moment, and nothing of it twice. */
export function isTimeForm(format: string): boolean {
  const tokens: readonly string[] = format.match(TOKENS) ?? []
  return NEEDED.every((part) => tokens.includes(part)) && new Set(tokens).size === tokens.length
}

/** Undefined where the text is no such moment. */
export function readInstant(
  text: string,
  { timeZone, format }: InstantReading,
): ListedInstant | undefined {
  if (text.length > MAX_LENGTH) return undefined
  if (format === 'epoch' || format === 'epochMs') {
    if (!/^\d{1,15}(\.\d+)?$/.test(text)) return undefined
    return certain(Math.round(Number(text) * (format === 'epoch' ? 1000 : 1)))
  }
  if (format === undefined && /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/.test(text)) {
    return certain(Date.parse(text))
  }
  const patterns = format === undefined ? USUAL : [patternOf(format)]
  for (const pattern of patterns) {
    const groups = pattern.exec(text)?.groups
    if (groups) return local(groups, timeZone)
  }
  return undefined
}

function patternOf(format: string): RegExp {
  const escaped = format.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll(TOKENS, (token) => PARTS[token] ?? token)}$`)
}

function local(
  groups: Readonly<Record<string, string>>,
  timeZone: string,
): ListedInstant | undefined {
  const part = (name: string) => Number(groups[name] ?? 0)
  try {
    const written = Temporal.PlainDateTime.from(
      {
        year: part('year'),
        month: part('month'),
        day: part('day'),
        hour: part('hour'),
        minute: part('minute'),
        second: part('second'),
        millisecond: part('millisecond'),
      },
      { overflow: 'reject' },
    )
    const at = (disambiguation: 'earlier' | 'later') =>
      written.toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds
    const epochMs = at('earlier')
    const isTwice =
      at('later') !== epochMs &&
      Temporal.Instant.fromEpochMilliseconds(epochMs)
        .toZonedDateTimeISO(timeZone)
        .toPlainDateTime()
        .equals(written)
    return sane({ epochMs: isTwice ? epochMs : at('later'), isAmbiguous: isTwice })
  } catch {
    return undefined
  }
}

function certain(epochMs: number): ListedInstant | undefined {
  return sane({ epochMs, isAmbiguous: false })
}

/** What the database can hold; nobody recorded before 1970. */
function sane(instant: ListedInstant): ListedInstant | undefined {
  const { epochMs } = instant
  return epochMs >= 0 && epochMs < Date.UTC(9999, 0) ? instant : undefined
}
