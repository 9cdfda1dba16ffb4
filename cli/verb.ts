import type { ParseArgsConfig } from 'node:util'

/** Where a verb's work goes: the process's own streams, environment and end. */
export interface Terminal {
  /** Writes a line to standard output. */
  print(line: string): void
  /** Writes over the last line that was written so; an empty text wipes it. For terminals alone. */
  rewrite(text: string): void
  /** Writes a line to standard error. */
  warn(line: string): void
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** Whether standard output is a terminal, whose last line can be written again. */
  readonly isInteractive: boolean
  readonly columns: number
  /** Takes SIGINT, SIGTERM and SIGHUP over from here on: the first of them aborts the signal. Idempotent. */
  stopSignal(): AbortSignal
  /** The checkout or package that this program runs from. */
  readonly rootPath: string
}

/** What was typed after a verb. */
export interface Given {
  /** Options by their long names; those that may be repeated are lists. */
  readonly options: Readonly<Record<string, string | boolean | readonly (string | boolean)[]>>
  readonly words: readonly string[]
}

/** One thing that an operator can ask for. */
export interface Verb {
  /** As typed: `config check`. */
  readonly name: string
  /** The whole text of `--help`. */
  readonly help: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** Names of the words that follow, for messages; a name in brackets may be left out, `…` repeats. */
  readonly words: readonly string[]
  /** Resolves to the exit code. Rejects with a `TallenneError` whose message is one sentence for the operator. */
  run(given: Given, terminal: Terminal): Promise<number>
}

/** Verbs by their names. Each is loaded when it is asked for, since what all of them need takes half a second to load. */
export type Verbs = ReadonlyMap<string, () => Promise<Verb>>

/** A text option, or undefined where it was not given. */
export function textOption(given: Given, name: string): string | undefined {
  const value = given.options[name]
  return typeof value === 'string' ? value : undefined
}

/** Whether a flag was given. */
export function hasFlag(given: Given, name: string): boolean {
  return given.options[name] === true
}
