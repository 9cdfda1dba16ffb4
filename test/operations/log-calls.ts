import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One call of the log in the sources. */
export interface LogCall {
  readonly file: string
  readonly level: string
  readonly message: string
}

const ROOT = new URL('../../../', import.meta.url).pathname
const FOLDERS = ['base', 'gateway', 'recorder', 'storage', 'retention', 'portal']
const CALL = /\b(?:#?log|\.log|log)\.(debug|info|warn|error|fatal)\(/g

/** Every line that the processes log, from their sources: the message is the last argument. */
export function findLogCalls(): readonly LogCall[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => callsIn(join(folder, name))),
  )
}

function callsIn(file: string): readonly LogCall[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...text.matchAll(CALL)].flatMap(({ index, 0: call, 1: level = '' }) => {
    const given = argumentsFrom(text, index + call.length)
    return messagesOf(given).map((message) => ({ file, level, message }))
  })
}

/** What stands between the parentheses. */
function argumentsFrom(text: string, from: number): string {
  let depth = 1
  let quote = ''
  for (let at = from; at < text.length; at++) {
    const character = text[at] ?? ''
    if (quote !== '') {
      if (character === quote && text[at - 1] !== '\\') quote = ''
    } else if ("'`".includes(character)) quote = character
    else if ('([{'.includes(character)) depth++
    else if (')]}'.includes(character) && --depth === 0) return text.slice(from, at)
  }
  throw new Error(`an open parenthesis: ${text.slice(from, from + 80)}`)
}

/** The last argument's strings: one, or those that it is chosen from; none where it is a variable. */
function messagesOf(given: string): readonly string[] {
  let depth = 0
  let quote = ''
  let last = 0
  for (let at = 0; at < given.length; at++) {
    const character = given[at] ?? ''
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if ("'`".includes(character)) quote = character
    else if ('([{'.includes(character)) depth++
    else if (')]}'.includes(character)) depth--
    else if (character === ',' && depth === 0 && given.slice(at + 1).trim() !== '') last = at + 1
  }
  return [...given.slice(last).matchAll(/'([^']+)'/g)].map(([, message = '']) => message)
}
