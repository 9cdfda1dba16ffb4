import { type Document, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import { messageOf } from '../base/tallenne-error.ts'
import { type ConfigMistake, type ConfigPath, describeFound } from './mistake.ts'

/** A configuration file is some hundred lines; what is larger is something else. */
export const MAX_CONFIG_BYTES = 262_144

/** A parsed YAML text that can still tell where each value stands. */
export interface YamlSource {
  /** The mapping at the top; empty for an empty file. */
  readonly content: Record<string, unknown>
  /** The line of a path from 1, or that of the nearest thing above it. */
  lineOf(path: ConfigPath): number | undefined
  /** The line of a key, rather than of its value. */
  lineOfKey(path: ConfigPath): number | undefined
  /** How a plain scalar is written: `+12025550100`, which YAML itself takes for a number. */
  writtenAt(path: ConfigPath): string | undefined
}

export type YamlOutcome =
  | { readonly kind: 'parsed'; readonly source: YamlSource }
  | { readonly kind: 'wrong'; readonly mistakes: readonly ConfigMistake[] }

/** Parses one YAML document of bounded size; `file` is for messages alone. Never throws. */
export function parseYamlSource(text: string, file: string): YamlOutcome {
  const wrong = (line: number | undefined, found: string | undefined, expected: string) =>
    ({ source: file, line, path: '', found, expected }) as const
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_CONFIG_BYTES) {
    const mistake = wrong(undefined, `${bytes} bytes`, `at most ${MAX_CONFIG_BYTES}`)
    return { kind: 'wrong', mistakes: [mistake] }
  }
  try {
    const lines = new LineCounter()
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'error',
    })
    if (document.errors.length > 0) {
      const mistakes = document.errors
        .slice(0, 20)
        .map((error) =>
          wrong(lines.linePos(error.pos[0]).line, undefined, `valid YAML (${error.message})`),
        )
      return { kind: 'wrong', mistakes }
    }
    const content: unknown = document.toJS({ maxAliasCount: 0 }) ?? {}
    if (!isMapping(content)) {
      return { kind: 'wrong', mistakes: [wrong(1, describeFound(content), 'a mapping of keys')] }
    }
    const nodeAt = (path: ConfigPath) => document.getIn(path, true) as Node | undefined
    const lineAt = (node: Node | undefined) =>
      node?.range ? lines.linePos(node.range[0]).line : undefined
    const lineOf = (path: ConfigPath): number | undefined => {
      for (let length = path.length; length > 0; length--) {
        const line = lineAt(nodeAt(path.slice(0, length)))
        if (line !== undefined) return line
      }
      return undefined
    }
    return {
      kind: 'parsed',
      source: {
        content,
        lineOf,
        lineOfKey: (path) => {
          const holder = path.length === 1 ? document.contents : nodeAt(path.slice(0, -1))
          const key = keyNode(holder, path.at(-1))
          return lineAt(key) ?? lineOf(path)
        },
        writtenAt: (path) => writtenIn(document, path),
      },
    }
  } catch (error) {
    // Aliases can build something enormous, or endless, from a few lines; deep nesting ends the stack.
    const expected =
      error instanceof ReferenceError
        ? 'no aliases (*name)'
        : `YAML that can be read (${messageOf(error)})`
    return { kind: 'wrong', mistakes: [wrong(undefined, undefined, expected)] }
  }
}

/** How the scalar at a path of a document is written. */
export function writtenIn(document: Document, path: ConfigPath): string | undefined {
  const node = document.getIn(path, true)
  return isScalar(node) && node.source ? node.source : undefined
}

/** Whether the value is a plain mapping, as YAML and JSON make them. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keyNode(holder: unknown, key: string | number | undefined): Node | undefined {
  if (!isMapping(holder) || !Array.isArray(holder['items'])) return undefined
  for (const item of holder['items']) {
    if (isMapping(item) && isScalar(item['key']) && item['key'].value === key) return item['key']
  }
  return undefined
}
