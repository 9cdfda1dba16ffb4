import { LIST_FIELDS, type ListField } from './call-list-columns.ts'
import type { ListTexts, PlacedMistake } from './read-listed-call.ts'

/** The texts of a call as JSON has it, or what is wrong in it. */
export type JsonCall =
  | { readonly kind: 'call'; readonly texts: ListTexts }
  | { readonly kind: 'wrong'; readonly mistake: Omit<PlacedMistake, 'line'> }

/** What a field may be besides a text. */
const ALSO: Readonly<Partial<Record<ListField, 'number' | 'boolean'>>> = {
  durationS: 'number',
  answered: 'boolean',
}

/** Fields that are missing or null are empty; those that are not known are passed over. */
export function textsOf(call: unknown): JsonCall {
  if (typeof call !== 'object' || call === null || Array.isArray(call)) {
    return wrong('startedAt', call, 'an object with startedAt')
  }
  const texts: Partial<Record<ListField, string>> = {}
  for (const field of LIST_FIELDS) {
    const value: unknown = Reflect.get(call, field) ?? ''
    const also = ALSO[field]
    if (typeof value !== 'string' && typeof value !== also) {
      return wrong(field, value, also === undefined ? 'a text' : `a text or a ${also}`)
    }
    texts[field] = String(value).trim()
  }
  return { kind: 'call', texts }
}

function wrong(column: ListField, value: unknown, expected: string): JsonCall {
  return { kind: 'wrong', mistake: { column, found: JSON.stringify(value), expected } }
}
