import type { Config } from './config.ts'
import { SECRET_KEYS } from './secret-keys.ts'

/** The configuration with its secrets hidden, as JSON has it. */
export function withoutSecrets(config: Config): Record<string, unknown> {
  const text = JSON.stringify(config, (key, value: unknown) =>
    SECRET_KEYS.has(key) && typeof value === 'string' ? '(hidden)' : value,
  )
  return JSON.parse(text)
}
