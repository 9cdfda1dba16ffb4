import type { ParameterMistake } from '../../base/problem.ts'

/** What the API asks of a call, as it can be taken. */
export interface ControlOrder {
  /** A word for why. */
  readonly reason: string | null
  /** Notes by their names; null takes one away. */
  readonly notes: Readonly<Record<string, string | null>>
  /** Who asks, for the log. */
  readonly actor: string | null
}

export type ReadOrder =
  | { readonly kind: 'order'; readonly order: ControlOrder }
  | { readonly kind: 'wrong'; readonly mistakes: readonly ParameterMistake[] }

/** A word has no digit, so that no card number can be one. */
const REASON = /^[a-z]+(-[a-z]+)*$/
const REASON_LENGTH = 32
const NOTE_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/
const NOTE_LENGTH = 1024
const MOST_NOTES = 32
const ACTOR_LENGTH = 128

/** Checks the body of an order; no body asks for nothing special. What it holds is not repeated in mistakes. */
export function readControlOrder(body: unknown, action: string): ReadOrder {
  if (body === undefined || body === null) return read({}, action)
  if (typeof body === 'object' && !Array.isArray(body)) return read({ ...body }, action)
  return wrong('body', 'a JSON object')
}

function read(body: Readonly<Record<string, unknown>>, action: string): ReadOrder {
  const known = ['actor', ...(FIELDS[action] ?? [])]
  const unknown = Object.keys(body).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    return wrong(
      unknown.slice(0, 80),
      `one of the members ${known.slice(1).join(', ') || '(none)'}`,
    )
  }
  const { reason = null, notes = {}, actor = null } = body
  if (reason !== null && !isReason(reason)) {
    return wrong('reason', `small letters and hyphens, at most ${REASON_LENGTH}, as card-data`)
  }
  if (actor !== null && typeof actor !== 'string') return wrong('actor', 'a text')
  const wanted = readNotes(notes)
  if (typeof wanted === 'string') return wrong('notes', wanted)
  if (action === 'annotate' && Object.keys(wanted).length === 0) {
    return wrong('notes', 'at least one note')
  }
  const order = { reason, notes: wanted, actor: actor?.slice(0, ACTOR_LENGTH) ?? null }
  return { kind: 'order', order }
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  pause: ['reason'],
  annotate: ['notes'],
}

/** The notes, or what is expected of them. */
function readNotes(notes: unknown): Readonly<Record<string, string | null>> | string {
  if (typeof notes !== 'object' || notes === null || Array.isArray(notes)) {
    return 'an object of texts'
  }
  const entries: [string, unknown][] = Object.entries(notes)
  if (entries.length > MOST_NOTES) return `at most ${MOST_NOTES} notes`
  const wanted: Record<string, string | null> = {}
  for (const [name, value] of entries) {
    if (!NOTE_NAME.test(name)) {
      return 'names of a letter and up to 63 letters, digits, dots, hyphens and underscores'
    }
    if (value !== null && (typeof value !== 'string' || value.length > NOTE_LENGTH)) {
      return `texts of up to ${NOTE_LENGTH} characters, or null`
    }
    wanted[name] = value
  }
  return wanted
}

function isReason(reason: unknown): reason is string {
  return typeof reason === 'string' && reason.length <= REASON_LENGTH && REASON.test(reason)
}

function wrong(parameter: string, expected: string): ReadOrder {
  return { kind: 'wrong', mistakes: [{ parameter, found: null, expected }] }
}
