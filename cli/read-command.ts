import { parseArgs } from 'node:util'
import { nearestWord } from '../base/nearest-word.ts'
import { TallenneError } from '../base/tallenne-error.ts'
import type { Given, Verb, Verbs } from './verb.ts'

/** What a command line asks for. */
export type Command =
  | { readonly kind: 'run'; readonly verb: Verb; readonly given: Given }
  | { readonly kind: 'help'; readonly verb: Verb | undefined }
  | { readonly kind: 'version' }

/**
 * Reads a command line. Rejects with `unknown_verb`, `unknown_option`, `option_value` or `unexpected_word`, each with
 * what was probably meant.
 */
export async function readCommand(line: readonly string[], verbs: Verbs): Promise<Command> {
  const [first] = line
  if (first === '--version') return { kind: 'version' }
  if (first === undefined || first === '--help' || first === '-h') {
    return { kind: 'help', verb: undefined }
  }
  if (first === 'help') {
    const rest = line.slice(1)
    return {
      kind: 'help',
      verb: rest.length === 0 ? undefined : (await findVerb(rest, verbs)).verb,
    }
  }
  const { verb, rest } = await findVerb(line, verbs)
  const end = rest.indexOf('--')
  const beforeEnd = end < 0 ? rest : rest.slice(0, end)
  if (beforeEnd.includes('--help') || beforeEnd.includes('-h')) return { kind: 'help', verb }
  return { kind: 'run', verb, given: readGiven(rest, verb) }
}

async function findVerb(line: readonly string[], verbs: Verbs) {
  // The longest first, so that `retention sweep` is not `retention`.
  for (const length of [2, 1]) {
    const load = verbs.get(line.slice(0, length).join(' '))
    if (load) return { verb: await load(), rest: line.slice(length) }
  }
  const [first = '', second] = line
  const known = [...verbs.keys()]
  const twoWords = known.filter((name) => name.startsWith(`${first} `))
  if (twoWords.length > 0) {
    const names = twoWords.map((name) => name.slice(first.length + 1))
    const nearest = second === undefined ? undefined : nearestWord(second, names)
    const hint = nearest ? `did you mean ${first} ${nearest}?` : `it takes ${names.join(' or ')}.`
    throw new TallenneError(
      'unknown_verb',
      second === undefined
        ? `${first} alone does nothing: ${hint}`
        : `No verb ${first} ${second}: ${hint}`,
    )
  }
  const nearest = nearestWord(
    first,
    known.map((name) => name.split(' ')[0] ?? ''),
  )
  throw new TallenneError(
    'unknown_verb',
    `No verb ${first}: ${nearest ? `did you mean ${nearest}?` : 'tallenne --help lists them.'}`,
  )
}

function readGiven(rest: readonly string[], verb: Verb): Given {
  const parsed = parseArgs({
    args: [...rest],
    options: verb.options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue
    const option = verb.options[token.name]
    if (!option) throw unknownOption(token.rawName, verb)
    const isNextOption = token.inlineValue === false && token.value.startsWith('--')
    if (option.type === 'string' && (!token.value || isNextOption)) {
      throw new TallenneError('option_value', `${token.rawName} needs a value after it.`)
    }
    if (option.type === 'boolean' && token.value !== undefined) {
      throw new TallenneError('option_value', `${token.rawName} takes no value.`)
    }
  }
  const words = parsed.positionals
  const needed = verb.words.filter((name) => !name.startsWith('['))
  if (words.length < needed.length) {
    const missing = needed.slice(words.length).join(' ')
    throw new TallenneError('missing_word', `${verb.name} needs ${missing} after it.`)
  }
  const takesMore = verb.words.some((name) => name.includes('…'))
  if (!takesMore && words.length > verb.words.length) {
    const extra = words.slice(verb.words.length).join(' ')
    throw new TallenneError('unexpected_word', `${verb.name} does not take ${extra}.`)
  }
  return { options: { ...parsed.values } as Given['options'], words }
}

function unknownOption(rawName: string, verb: Verb): TallenneError {
  const known = Object.keys(verb.options).map((name) => `--${name}`)
  const nearest = nearestWord(rawName, [...known, '--help'])
  const hint = nearest ? `did you mean ${nearest}?` : `tallenne ${verb.name} --help lists them.`
  return new TallenneError('unknown_option', `${verb.name} has no option ${rawName}: ${hint}`)
}
