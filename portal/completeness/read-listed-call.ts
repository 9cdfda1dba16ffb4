import { compactNumber, e164Of, numberWithCountryCode } from '../../base/e164.ts'
import type { ListedCall } from '../../storage/completeness/platform-calls.ts'
import type { ListField } from './call-list-columns.ts'
import { type InstantReading, readInstant } from './read-instant.ts'

/** How the texts of a list are read. */
export interface ListReading extends InstantReading {
  /** Of numbers without a country code, ISO 3166-1. */
  readonly region: string
  /** The service line of a number in E.164, or of none. */
  readonly serviceLineOf: (e164: string | null) => string
  /** A list tells of calls that were: what begins later is read wrongly. */
  readonly latestMs: number
}

/** What cannot be taken of one call. */
export interface ListMistake {
  readonly field: ListField
  /** As listed; null where it is missing. */
  readonly found: string | null
  readonly expected: string
}

/** Where in a list, and what is wrong there. */
export interface PlacedMistake extends Omit<ListMistake, 'field'> {
  /** Of the file, from 1; of calls by the API the place in the list, from 1. */
  readonly line: number
  /** The heading of the column, or the name of the field. */
  readonly column: string
}

export type ListedCallReading =
  | { readonly kind: 'call'; readonly call: ListedCall }
  | { readonly kind: 'wrong'; readonly mistake: ListMistake }

export type ListTexts = Readonly<Partial<Record<ListField, string>>>

const WITHHELD = /^(anonymous|restricted|private|withheld|unknown|unavailable|-)?$/i
const YES = /^(1|true|yes|y|answered|kyllä|k|ja|j)$/i
const NO = /^(0|false|no|n|unanswered|abandoned|ei|e|nej)$/i
const SHOWN_CHARACTERS = 60

const MAX_NUMBER = 255

/** A mistake of which no more is shown than a line has room for. */
export function placedMistake({ column, found, ...rest }: PlacedMistake): PlacedMistake {
  return {
    ...rest,
    column: column.slice(0, SHOWN_CHARACTERS),
    found: found?.slice(0, SHOWN_CHARACTERS) ?? null,
  }
}

/** Reads one call of a list. */
export function readListedCall(texts: ListTexts, reading: ListReading): ListedCallReading {
  const startedAt = readInstant(texts.startedAt ?? '', reading)
  if (startedAt === undefined) {
    const form = reading.format ?? 'ISO 8601, as 2026-01-31T08:00:00Z or 2026-01-31 10:00:00'
    return wrong('startedAt', texts, `a time as ${form}`)
  }
  if (startedAt.epochMs > reading.latestMs) return wrong('startedAt', texts, 'a time that has been')
  const duration = durationOf(texts.durationS)
  if (duration === 'wrong') return wrong('durationS', texts, 'seconds, or hours:minutes:seconds')
  const answered = answerOf(texts.answered)
  if (answered === 'wrong') return wrong('answered', texts, 'yes, no or nothing')
  const caller = numberOf(texts.caller, reading.region)
  const service = numberOf(texts.serviceNumber, reading.region)
  const reference = texts.reference || null
  const callId = texts.callId || null
  for (const [field, text, most] of [
    ['reference', reference, 255],
    ['callId', callId, 512],
    ['caller', caller.text, MAX_NUMBER],
    ['serviceNumber', service.text, MAX_NUMBER],
  ] as const) {
    // Cut, it would be no call's name.
    if (text !== null && text.length > most) {
      return wrong(field, texts, `at most ${most} characters`)
    }
  }
  if (reference === null && callId === null && caller.text === null && service.text === null) {
    return wrong('reference', texts, 'a reference, a Call-ID or a number, to know the call by')
  }
  return {
    kind: 'call',
    call: {
      reference,
      callId,
      startedAtMs: startedAt.epochMs,
      isAmbiguous: startedAt.isAmbiguous,
      durationS: duration,
      wasAnswered: answered,
      caller: caller.text,
      callerE164: caller.e164,
      serviceNumber: service.text,
      serviceNumberE164: service.e164,
      serviceLine: reading.serviceLineOf(service.e164),
    },
  }
}

function wrong(field: ListField, texts: ListTexts, expected: string): ListedCallReading {
  return { kind: 'wrong', mistake: { field, found: texts[field] || null, expected } }
}

function durationOf(text = ''): number | null | 'wrong' {
  if (text === '') return null
  if (/^\d{1,8}([.,]\d+)?$/.test(text)) return Math.round(Number(text.replace(',', '.')))
  const [, hours = 0, minutes = 0, seconds = 0] =
    /^(?:(\d{1,4}):)?(\d{1,2}):(\d{2})$/.exec(text) ?? []
  if (seconds === 0) return 'wrong'
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

function answerOf(text = ''): boolean | null | 'wrong' {
  if (text === '') return null
  if (YES.test(text)) return true
  return NO.test(text) ? false : 'wrong'
}

/** The number within a SIP or tel URI, or as it is; a spreadsheet may have put an apostrophe before it. */
function numberOf(text = '', region: string): { text: string | null; e164: string | null } {
  const inUri = /^(?:[^<]*<)?(?:sips?|tel):([^@;>]*)/i.exec(text)?.[1]
  const user = (inUri ?? text).replace(/^'|%20/g, '').replace(/^%2B/i, '+')
  if (WITHHELD.test(user)) return { text: null, e164: null }
  // Lists often leave out the plus sign; a call is only found where time and number agree, so a guess does no harm.
  const e164 = e164Of(user, region) ?? numberWithCountryCode(compactNumber(user) ?? '')
  return { text: user, e164 }
}
