/** Steps from the top of the configuration to a value: keys of mappings and places in lists. */
export type ConfigPath = readonly (string | number)[]

/** One thing that is wrong in the configuration. */
export interface ConfigMistake {
  /** The file, or the environment variable, that says it; undefined where neither does. */
  readonly source: string | undefined
  /** Line in the file, from 1. */
  readonly line: number | undefined
  /** As `sip.listen[0].port`; empty for the whole. */
  readonly path: string
  /** What stands there, shortened; undefined where showing it would show a secret. */
  readonly found: string | undefined
  /** What may stand there. */
  readonly expected: string
}

/** A mistake that only several values together show. */
export interface CrossMistake {
  readonly path: ConfigPath
  readonly found: string
  readonly expected: string
}

/** The path as people write it: `serviceLines[1].numbers[0]`. */
export function formatPath(path: ConfigPath): string {
  return path
    .map((step, index) =>
      typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`,
    )
    .join('')
}

/** A mistake in one line: where, path, found, expected. */
export function formatMistake(mistake: ConfigMistake): string {
  const line = mistake.line === undefined ? '' : `:${mistake.line}`
  const where = [
    mistake.source === undefined ? '' : `${mistake.source}${line}`,
    mistake.path,
  ].filter((part) => part !== '')
  const found = mistake.found === undefined ? '' : `found ${mistake.found}, `
  return `${where.join(' ')}: ${found}expected ${mistake.expected}.`
}

/** A value in a few words, for messages. */
export function describeFound(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'nothing (null)'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a mapping'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
