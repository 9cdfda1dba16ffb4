import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The corpora are not compiled: from build/test/fuzz they are three folders up. */
const FOLDER = join(import.meta.dirname, '..', '..', '..', 'test', 'fuzz', 'corpus')

/** Inputs of a target that are kept: each once broke it, or did something that no other did. */
export function readCorpus(target: string): readonly Uint8Array[] {
  const folder = join(FOLDER, target)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)))
}

/** Keeps an input, and gives its file. */
export function keepInput(target: string, input: Uint8Array, kind: 'crash' | 'input'): string {
  const folder = join(FOLDER, target)
  mkdirSync(folder, { recursive: true })
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 12)
  const path = join(folder, `${kind}-${digest}`)
  writeFileSync(path, input)
  return path
}
