import { e164Of } from '../../base/e164.ts'
import type { ListedCall } from '../../storage/completeness/platform-calls.ts'
import type { ListField } from './call-list-columns.ts'
import { type InstantReading, readInstant } from './read-instant.ts'

/** How the texts of a list are read. */
export interface ListReading extends InstantReading {
  /** Of numbers without a country code, ISO 3166-1. */
  readonly region: string
  /** The service line of a number in E.164, or of none. */
  readonly serviceLineOf: (e164: string | null) => string
}

/** What cannot be taken of one call. */
export interface ListMistake {
  readonly field: ListField
  /** As listed, shortened; null where it is missing. */
  readonly found: string | null
  readonly expected: string
}

export type ListedCallReading =
  | { readonly kind: 'call'; readonly call: ListedCall }
  | { readonly kind: 'wrong'; readonly mistake: ListMistake }

export type ListTexts = Readonly<Partial<Record<ListField, string>>>

const WITHHELD = /^(anonymous|restricted|private|withheld|unknown|unavailable|-)?$/i
const YES = /^(1|true|yes|y|answered|kyllä|k|ja|j)$/i
const NO = /^(0|false|no|n|unanswered|abandoned|ei|e|nej)$/i
const SHOWN_CHARACTERS = 60

/** Reads one call of a list. */
export function readListedCall(texts: ListTexts, reading: ListReading): ListedCallReading {
  const startedAt = readInstant(texts.startedAt ?? '', reading)
  if (startedAt === undefined) {
    const form = reading.format ?? 'ISO 8601, as 2026-01-31T08:00:00Z or 2026-01-31 10:00:00'
    return wrong('startedAt', texts, `a time as ${form}`)
  }
  const duration = durationOf(texts.durationS)
  if (duration === 'wrong') return wrong('durationS', texts, 'seconds, or hours:minutes:seconds')
  const answered = answerOf(texts.answered)
  if (answered === 'wrong') return wrong('answered', texts, 'yes, no or nothing')
  const caller = numberOf(texts.caller, reading.region)
  const service = numberOf(texts.serviceNumber, reading.region)
  const reference = nameOf(texts.reference, 255)
  const callId = nameOf(texts.callId, 512)
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
  const found = texts[field] || null
  return {
    kind: 'wrong',
    mistake: { field, found: found?.slice(0, SHOWN_CHARACTERS) ?? null, expected },
  }
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

/** The number within a SIP or tel URI, or as it is. */
function numberOf(text = '', region: string): { text: string | null; e164: string | null } {
  const user = /^(?:sips?|tel):([^@;]*)/i.exec(text)?.[1] ?? text
  if (WITHHELD.test(user)) return { text: null, e164: null }
  return { text: user.slice(0, 255), e164: e164Of(user, region) }
}

function nameOf(text = '', length: number): string | null {
  return text === '' ? null : text.slice(0, length)
}
