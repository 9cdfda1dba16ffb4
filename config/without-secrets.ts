import type { Config } from './config.ts'

const SECRETS: ReadonlySet<string> = new Set(['password', 'secret'])

/** The configuration with its secrets hidden, as JSON has it. */
export function withoutSecrets(config: Config): Record<string, unknown> {
  const text = JSON.stringify(config, (key, value: unknown) =>
    SECRETS.has(key) && typeof value === 'string' ? '(hidden)' : value,
  )
  return JSON.parse(text)
}
