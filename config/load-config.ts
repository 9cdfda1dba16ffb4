import { dirname, resolve } from 'node:path'
import { readBounded } from '../base/read-bounded.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { type Config, configSchema } from './config.ts'
import { crossCheck, type LegibleLine } from './cross-checks.ts'
import { describeIssue, describeUnknownKey, isTextExpected } from './describe-issue.ts'
import type { EncryptionConfig } from './encryption-config.ts'
import { type EnvironmentOverride, readOverrides } from './environment.ts'
import { type ConfigMistake, type ConfigPath, formatMistake, formatPath } from './mistake.ts'
import { replaceSecretFiles } from './secret-files.ts'
import type { SipListen } from './sip-config.ts'
import type { TrunkRoute } from './trunk-config.ts'
import { isMapping, MAX_CONFIG_BYTES, parseYamlSource, type YamlSource } from './yaml-source.ts'

/** The configuration is wrong; `mistakes` has them all, the message the same in lines. */
export class ConfigError extends TallenneError {
  readonly mistakes: readonly ConfigMistake[]

  constructor(mistakes: readonly ConfigMistake[]) {
    const lines = mistakes.map(formatMistake)
    const summary =
      lines.length === 1 ? lines[0] : `${lines.length} mistakes:\n  ${lines.join('\n  ')}`
    super('config_invalid', `The configuration is wrong: ${summary}`)
    this.name = 'ConfigError'
    this.mistakes = mistakes
  }
}

/**
 * Reads the configuration: the file at `path`, else the one that `TALLENNE_CONFIG` names, else the defaults
 * alone; then what `TALLENNE_…` variables override. Paths come out absolute, from the file's folder or,
 * without a file, from the working folder.
 *
 * Throws a `ConfigError` (`config_invalid`) with all mistakes.
 */
export function loadConfig(path: string | undefined, env: Readonly<NodeJS.ProcessEnv>): Config {
  const file = path ?? env['TALLENNE_CONFIG']
  const source = file === undefined ? undefined : readSource(file)
  const folder = file === undefined ? process.cwd() : dirname(resolve(file))
  return checkContent({ source, file, folder, overrides: readOverrides(env) })
}

function readSource(file: string): YamlSource {
  let text: string
  try {
    text = readBounded(file, MAX_CONFIG_BYTES + 1).toString('utf8')
  } catch (error) {
    const expected = `a file that can be read (${messageOf(error)})`
    throw new ConfigError([{ source: file, line: undefined, path: '', found: undefined, expected }])
  }
  const outcome = parseYamlSource(text, file)
  if (outcome.kind === 'wrong') throw new ConfigError(outcome.mistakes)
  return outcome.source
}

interface Origin {
  readonly source: YamlSource | undefined
  readonly file: string | undefined
  readonly folder: string
  readonly overrides: readonly EnvironmentOverride[]
}

function checkContent(origin: Origin): Config {
  const { source, folder, overrides } = origin
  const mistakes: ConfigMistake[] = []
  const mistakeAt = (path: ConfigPath, found: string | undefined, expected: string) =>
    mistakes.push({ ...locate(path, origin), path: formatPath(path), found, expected })

  const content = structuredClone(source?.content ?? {})
  for (const { path, value } of overrides) {
    const blocked = setAt(content, { path, value })
    if (blocked) mistakeAt(path, undefined, `${formatPath(blocked)} to hold keys or places`)
  }
  for (const { path, reason } of replaceSecretFiles(content, folder)) {
    mistakeAt(path, undefined, reason)
  }

  const checked: Partial<Config> = {}
  for (const key of Object.keys(content)) {
    if (Object.hasOwn(configSchema.shape, key)) continue
    const { path, found, expected } = describeUnknownKey([], key)
    mistakeAt(path, found, expected)
  }
  // Section by section, so that one mistake does not hide what only the others together show.
  for (const key of Object.keys(configSchema.shape) as (keyof Config)[]) {
    const section = checkSection(key, content, origin)
    if (section.kind === 'right') Object.assign(checked, { [key]: section.value })
    else for (const { path, found, expected } of section.wrong) mistakeAt(path, found, expected)
  }
  const lines = checked.serviceLines ?? legibleLines(content['serviceLines'])
  for (const { path, found, expected } of crossCheck(checked, lines)) {
    mistakeAt(path, found, expected)
  }

  if (mistakes.length > 0) throw new ConfigError(mistakes)
  const config = configSchema.parse(checked)
  return {
    ...config,
    dataPath: resolve(folder, config.dataPath),
    sip: { ...config.sip, listen: config.sip.listen.map((listen) => placeKeys(listen, folder)) },
    trunk: {
      ...config.trunk,
      routes: config.trunk.routes.map((route) => placeFiles(route, folder)),
    },
    encryption: placeKeyFiles(config.encryption, folder),
  }
}

function placeKeyFiles(encryption: EncryptionConfig, folder: string): EncryptionConfig {
  const { recipientsFile, identityFile } = encryption
  return {
    ...encryption,
    ...(recipientsFile !== undefined && { recipientsFile: resolve(folder, recipientsFile) }),
    ...(identityFile !== undefined && { identityFile: resolve(folder, identityFile) }),
  }
}

function placeKeys(listen: SipListen, folder: string): SipListen {
  if (listen.tls === undefined) return listen
  const { cert, key, ca } = listen.tls
  const placed = { cert: resolve(folder, cert), key: resolve(folder, key) }
  const authorities = ca === undefined ? {} : { ca: resolve(folder, ca) }
  return { ...listen, tls: { ...listen.tls, ...placed, ...authorities } }
}

function placeFiles(route: TrunkRoute, folder: string): TrunkRoute {
  const { announcement } = route
  if (announcement === undefined) return route
  const placed = (files: readonly string[]) => files.map((file) => resolve(folder, file))
  const lines = Object.entries(announcement.lines).map(([line, files]) => [line, placed(files)])
  return {
    ...route,
    announcement: { files: placed(announcement.files), lines: Object.fromEntries(lines) },
  }
}

function legibleLines(given: unknown): LegibleLine[] {
  if (!Array.isArray(given)) return []
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return given.map((line: unknown) => {
    if (!isMapping(line)) return { name: undefined, numbers: [], timeZone: undefined }
    const numbers = Array.isArray(line['numbers']) ? line['numbers'] : []
    return {
      name: text(line['name']),
      numbers: numbers.map((number: unknown) => text(number) ?? ''),
      timeZone: text(line['timeZone']),
    }
  })
}

/** Checks one section, putting texts into `content` where YAML saw numbers. */
function checkSection(key: keyof Config, content: Record<string, unknown>, origin: Origin) {
  const schema = configSchema.shape[key]
  const options = { reportInput: true } as const
  let result = schema.safeParse(content[key], options)
  if (!result.success) {
    // YAML takes `+12025550100` and `0800` for numbers; where a text is expected, it is as written.
    for (const issue of result.error.issues.filter(isTextExpected)) {
      const path = [key, ...issue.path] as ConfigPath
      const written = writtenAt(path, origin)
      if (written !== undefined) setAt(content, { path, value: written })
    }
    result = schema.safeParse(content[key], options)
  }
  if (result.success) return { kind: 'right', value: result.data } as const
  const wrong = result.error.issues.flatMap((issue) =>
    describeIssue({ ...issue, path: [key, ...issue.path] }),
  )
  return { kind: 'wrong', wrong } as const
}

function writtenAt(path: ConfigPath, { source, overrides }: Origin): string | undefined {
  const override = overrides.findLast((candidate) =>
    isSamePath(candidate.path, path.slice(0, candidate.path.length)),
  )
  return override ? override.writtenAt(path.slice(override.path.length)) : source?.writtenAt(path)
}

function locate(path: ConfigPath, { source, file, overrides }: Origin) {
  const override = overrides.find(
    (candidate) =>
      isSamePath(candidate.path, path.slice(0, candidate.path.length)) ||
      isSamePath(candidate.path.slice(0, path.length), path),
  )
  if (override) return { source: override.name, line: undefined }
  return { source: file, line: source?.lineOfKey(path) }
}

function isSamePath(a: ConfigPath, b: ConfigPath): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index])
}

/** Puts a value in; answers the path of what is in the way, if anything is. */
function setAt(
  content: Record<string, unknown>,
  { path, value }: { readonly path: ConfigPath; readonly value: unknown },
): ConfigPath | undefined {
  let holder: Record<string | number, unknown> = content
  for (const [depth, step] of path.entries()) {
    if (step === '__proto__') return path.slice(0, depth)
    if (depth === path.length - 1) {
      holder[step] = value
      return undefined
    }
    const next = Object.hasOwn(holder, step) ? holder[step] : undefined
    const below = next ?? (typeof path[depth + 1] === 'number' ? [] : {})
    if (!isMapping(below) && !Array.isArray(below)) return path.slice(0, depth + 1)
    holder[step] = below
    holder = below as Record<string | number, unknown>
  }
  return undefined
}
