import { parseDocument } from 'yaml'
import type { ConfigPath } from './mistake.ts'
import { writtenIn } from './yaml-source.ts'

/** One value that an environment variable sets. */
export interface EnvironmentOverride {
  /** The variable, as `TALLENNE_SIP__SESSION_TIMER__EXPIRES_S`. */
  readonly name: string
  readonly path: ConfigPath
  /** What is written at a path below that of the override; at the empty path, the variable's text. */
  writtenAt(path: ConfigPath): string | undefined
  /** What the text means: a list or mapping in YAML's flow style, a number, true, false, null, or the text. */
  readonly value: unknown
}

const PREFIX = 'TALLENNE_'

/** Names the file, and is no value in it. */
const FILE_VARIABLE = 'TALLENNE_CONFIG'

const MAX_VALUE_LENGTH = 65_536

/**
 * The overrides in an environment, in the order of their names.
 *
 * `__` goes one level down and `_` joins the words of a key, so `TALLENNE_SIP__SESSION_TIMER__EXPIRES_S` is
 * `sip.sessionTimer.expiresS`; a number is a place in a list.
 */
export function readOverrides(env: Readonly<NodeJS.ProcessEnv>): EnvironmentOverride[] {
  return Object.entries(env)
    .filter(([name]) => name.startsWith(PREFIX) && name !== FILE_VARIABLE)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text = '']) => ({ name, path: pathOf(name), ...meaningOf(text) }))
}

function pathOf(name: string): ConfigPath {
  return name
    .slice(PREFIX.length)
    .split('__')
    .map((step) => {
      if (/^\d{1,2}$/.test(step)) return Number(step)
      return step.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    })
}

function meaningOf(text: string): Pick<EnvironmentOverride, 'value' | 'writtenAt'> {
  const writtenAt = (path: ConfigPath) => (path.length === 0 ? text : undefined)
  if (text === 'true' || text === 'false') return { value: text === 'true', writtenAt }
  if (text === 'null') return { value: null, writtenAt }
  if (/^[-+]?\d{1,15}(\.\d{1,15})?$/.test(text)) return { value: Number(text), writtenAt }
  if (!/^\s*[[{]/.test(text) || text.length > MAX_VALUE_LENGTH) return { value: text, writtenAt }
  try {
    const document = parseDocument(text, { logLevel: 'error' })
    if (document.errors.length > 0) return { value: text, writtenAt }
    const value: unknown = document.toJS({ maxAliasCount: 0 })
    return { value, writtenAt: (path) => writtenAt(path) ?? writtenIn(document, path) }
  } catch {
    // Not a list after all; where a text is expected, such as a password, it is one.
    return { value: text, writtenAt }
  }
}
