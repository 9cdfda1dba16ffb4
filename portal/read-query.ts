import type { z } from 'zod'
import type { ParameterMistake } from '../base/problem.ts'

export type ReadQuery<T> =
  | { readonly kind: 'read'; readonly query: T }
  | { readonly kind: 'wrong'; readonly mistakes: readonly ParameterMistake[] }

const SHOWN_CHARACTERS = 80

/**
 * Checks a query string's parameters. A schema's messages say what is expected and nothing else, so that
 * they fit the sentence "expected …".
 */
export function readQuery<S extends z.ZodObject>(
  schema: S,
  given: Readonly<Record<string, unknown>>,
): ReadQuery<z.output<S>> {
  const result = schema.safeParse(given)
  if (result.success) return { kind: 'read', query: result.data }

  const known = Object.keys(schema.shape)
  const mistakes = new Map<string, ParameterMistake>()
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      const expected =
        known.length === 0 ? 'no parameters here' : `one of the parameters ${known.join(', ')}`
      for (const key of issue.keys) {
        const parameter = shorten(key)
        mistakes.set(parameter, { parameter, found: shownOf(given[key]), expected })
      }
      continue
    }
    const parameter = String(issue.path[0])
    const found = given[parameter]
    const expected = Array.isArray(found) ? 'one value' : issue.message
    if (!mistakes.has(parameter)) {
      mistakes.set(parameter, { parameter, found: shownOf(found), expected })
    }
  }
  return { kind: 'wrong', mistakes: [...mistakes.values()] }
}

function shownOf(value: unknown): string | null {
  if (value === undefined) return null
  return shorten(Array.isArray(value) ? value.join(', ') : String(value))
}

function shorten(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`
}
