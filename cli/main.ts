import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { readCommand } from './read-command.ts'
import type { Terminal } from './verb.ts'
import { VERBS } from './verbs.ts'

// This file runs as build/cli/main.js; what is not compiled stands two folders up.
const rootPath = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** The exit code of what could not be done at all; 1 is an answer. */
const COULD_NOT = 2

let stop: AbortController | undefined

// A reader that went away, as `head` does, is no reason to show a stack. What runs until it is told to stop goes on
// without a reader: ended here, it would leave its processes behind.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => {
    if (stop === undefined) process.exit(1)
  })
}

const terminal: Terminal = {
  print: (line) => console.log(line),
  // To the line's beginning, the text, and away with what is left of a longer one (ECMA-48 EL).
  rewrite: (text) => void process.stdout.write(`\r${text.slice(0, terminal.columns - 1)}\x1b[K`),
  warn: (line) => console.error(line),
  env: process.env,
  isInteractive: process.stdout.isTTY === true,
  // Some pseudo-terminals say that they have none.
  columns: process.stdout.columns || 80,
  stopSignal,
  rootPath,
}

function stopSignal(): AbortSignal {
  if (stop) return stop.signal
  const controller = new AbortController()
  stop = controller
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => controller.abort())
  }
  return controller.signal
}

process.exitCode = await runLine(process.argv.slice(2))

async function runLine(line: readonly string[]): Promise<number> {
  try {
    const command = await readCommand(line, VERBS)
    switch (command.kind) {
      case 'version':
        terminal.print(versionOf(rootPath))
        return 0
      case 'help':
        terminal.print(
          command.verb?.help ?? readFileSync(join(rootPath, 'cli', 'help.txt'), 'utf8').trimEnd(),
        )
        return 0
      case 'run':
        return await command.verb.run(command.given, terminal)
    }
  } catch (error) {
    terminal.warn(`tallenne: ${await sentenceOf(error)}`)
    return COULD_NOT
  }
}

/** One line for what can happen to anybody. What else it is, is a bug, and its place is worth more than a tidy screen. */
async function sentenceOf(error: unknown): Promise<string> {
  if (error instanceof TallenneError || hasSystemCall(error)) return messageOf(error)
  const { databaseMessage, isDatabaseError } = await import('../storage/database.ts')
  if (isDatabaseError(error)) return `The database did not do it: ${databaseMessage(error)}.`
  if (!(error instanceof Error) || !error.stack) return messageOf(error)
  return [messageOf(error), ...error.stack.split('\n').slice(1, 6)].join('\n')
}

/** As the file system's errors, which name the path. */
function hasSystemCall(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

function versionOf(root: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const version: unknown =
    typeof manifest === 'object' && manifest && Reflect.get(manifest, 'version')
  return `tallenne ${typeof version === 'string' ? version : 'unknown'}`
}
