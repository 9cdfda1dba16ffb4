import type { z } from 'zod'
import { nearestWord } from '../base/nearest-word.ts'
import { configSchema } from './config.ts'
import { type ConfigPath, describeFound } from './mistake.ts'
import { keysAt } from './schema-keys.ts'
import { SECRET_KEYS } from './secret-keys.ts'

export interface DescribedIssue {
  readonly path: ConfigPath
  readonly found: string | undefined
  readonly expected: string
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping of keys',
  array: 'a list',
}

/** Says in words what a check of the schema found; an issue about several keys becomes several. */
export function describeIssue(issue: z.core.$ZodIssue): DescribedIssue[] {
  const path = issue.path as ConfigPath
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => describeUnknownKey(path, key))
  }
  const isSecret = SECRET_KEYS.has(String(path.at(-1)))
  const found = isSecret ? undefined : describeFound(issue.input)
  return [{ path, found, expected: expectation(issue) }]
}

/** Whether a text is expected where something else stands. */
export function isTextExpected(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' && issue.expected === 'string'
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected
    case 'too_small':
      return `at least ${amount(issue.origin, issue.minimum)}`
    case 'too_big':
      return `${issue.exact ? 'exactly' : 'at most'} ${amount(issue.origin, issue.maximum)}`
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`
    case 'invalid_format':
      return issue.message.startsWith('Invalid')
        ? `a text of the form ${issue.pattern ?? issue.format}`
        : issue.message
    default:
      return issue.message
  }
}

function amount(origin: string, count: number | bigint): string {
  if (origin === 'string') return `${count} ${count === 1 ? 'character' : 'characters'}`
  if (origin === 'array') return `${count} ${count === 1 ? 'entry' : 'entries'}`
  return String(count)
}

/** Says what a key that the schema does not have was perhaps meant to be. */
export function describeUnknownKey(path: ConfigPath, key: string): DescribedIssue {
  const known = keysAt(configSchema, path)
  const meant = nearestWord(key, known)
  return {
    path: [...path, key],
    found: 'an unknown key',
    expected: meant ? `${meant}, perhaps` : `one of ${known.join(', ')}`,
  }
}
