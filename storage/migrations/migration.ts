/**
 * One step of the schema. Steps are numbered from 1 without gaps and never change once released.
 *
 * MariaDB commits each statement that changes the schema by itself, so a step that was cut short is run
 * again from its beginning: every statement must be harmless the second time (`IF NOT EXISTS`).
 */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly statements: readonly string[]
}
